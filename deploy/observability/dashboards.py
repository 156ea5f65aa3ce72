"""The dashboards: how it goes, and then each tier."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.observability.panels import Dashboard, Panel, Series
from deploy.observability.slos import SLOS, Slo

_RATE = "[$__rate_interval]"
_HTTP = "cueapi_http_request_duration_seconds"
_SHARE, _SECONDS, _COUNT, _PER_SECOND = "percentunit", "s", "short", "ops"


def _quantiles(histogram: str, where: str = "", by: str = "") -> list[Series]:
    """The median and the slow end of a histogram; `by` splits it further."""
    labels = f"le, {by}" if by else "le"
    name = f"{{{{{by}}}}} " if by else ""
    return [
        Series(
            f"histogram_quantile({share},"
            f" sum by ({labels}) (rate({histogram}_bucket{where}{_RATE})))",
            f"{name}{legend}",
        )
        for share, legend in ((0.5, "p50"), (0.99, "p99"))
    ]


def _rate(counter: str, by: str = "", where: str = "") -> Series:
    split = f" by ({by})" if by else ""
    legend = " ".join(f"{{{{{label.strip()}}}}}" for label in by.split(",")) if by else counter
    return Series(f"sum{split} (rate({counter}{where}{_RATE}))", legend)


def _promise(slo: Slo) -> Panel:
    return Panel(
        f"{slo.name.replace('_', ' ').capitalize()}: errors over an hour",
        f"The promise: {slo.promise}. The line is the share at which a month's budget of"
        f" {slo.budget:.2%} is just used up.",
        _SHARE,
        [Series(slo.record("1h"), "1 h"), Series(slo.record("5m"), "5 min")],
        limit=slo.budget,
    )


def _budget(slo: Slo) -> Series:
    return Series(f"1 - {slo.record('3d')} / {slo.budget:g}", slo.name.replace("_", " "))


OVERVIEW = Dashboard(
    "cueapi-overview",
    "CueAPI / Overview",
    "Whether the service keeps its promises, and what it does.",
    {
        "Now": [
            Panel(
                "Budget left, at the pace of three days",
                "1 is all of it; below 0 the promise is broken if nothing changes.",
                _SHARE,
                [_budget(slo) for slo in SLOS],
                kind="stat",
                width=10,
                limit=0.0,
                below_is_bad=True,
            ),
            Panel(
                "Since the canary went well",
                "The service's own cue goes the whole way each minute.",
                _SECONDS,
                [
                    Series("time() - max(cueapi_canary_last_success_timestamp_seconds)", "ago"),
                    Series("max(cueapi_canary_lateness_seconds)", "it was late by"),
                ],
                kind="stat",
                width=4,
                limit=300,
            ),
            Panel(
                "Processes",
                "Processes that Prometheus can scrape, by service.",
                _COUNT,
                [Series('sum by (service) (up{job="cueapi"})', "{{service}}")],
                kind="stat",
                width=10,
            ),
        ],
        "Promises": [_promise(slo) for slo in SLOS],
        "Work": [
            Panel(
                "Executions made",
                "By what triggered them.",
                _PER_SECOND,
                [_rate("cueapi_executions_fired_total", "triggered_by")],
            ),
            Panel(
                "Attempts that ended",
                "`acknowledged`, or the class of what went wrong at the receiver.",
                _PER_SECOND,
                [_rate("cueapi_attempts_total", "result")],
            ),
            Panel(
                "Open executions",
                "By state; at most 20,000 of each kind are counted.",
                _COUNT,
                [Series("max by (state) (cueapi_executions_open)", "{{state}}")],
            ),
            Panel(
                "Alerts raised",
                "For users, by kind: a wave of them may be our fault.",
                _PER_SECOND,
                [_rate("cueapi_alerts_raised_total", "kind")],
            ),
            Panel(
                "Notifications",
                "Tries to tell people, by channel and how they ended.",
                _PER_SECOND,
                [_rate("cueapi_notifications_total", "channel, status")],
            ),
            Panel(
                "Notifications that wait",
                "Due, and not told yet.",
                _COUNT,
                [Series("max(cueapi_notifications_due)", "waiting")],
                limit=100,
            ),
        ],
    },
)

TIERS = Dashboard(
    "cueapi-tiers",
    "CueAPI / Scheduler and dispatcher",
    "From the slot to the result: lateness, what waits, and what is slowed down.",
    {
        "What waits": [
            Panel(
                "Oldest due row",
                "For how long the oldest row that is due has been, by loop. Beyond a few seconds,"
                " the tier is too small or held up.",
                _SECONDS,
                [Series("max by (loop) (cueapi_oldest_due_age_seconds)", "{{loop}}")],
                limit=60,
            ),
            Panel(
                "Attempts on the wire",
                "Of each dispatcher; its slots are CUEAPI_DISPATCH_CONCURRENCY.",
                _COUNT,
                [Series("cueapi_attempts_in_flight", "{{instance}}")],
            ),
            Panel(
                "Destinations slowed down",
                "They failed again and again: a dispatcher tries them less often.",
                _COUNT,
                [Series("cueapi_circuits_open", "{{instance}}")],
            ),
        ],
        "Scheduler": [
            Panel(
                "Lateness of fires",
                "From the slot to the transaction that made the execution. Dots are traces.",
                _SECONDS,
                _quantiles("cueapi_fire_lateness_seconds"),
                limit=1.0,
            ),
            Panel(
                "Slots skipped",
                "By reason: catch-up policies, mostly after an outage.",
                _PER_SECOND,
                [_rate("cueapi_slots_skipped_total", "reason")],
            ),
            Panel(
                "Outcomes decided",
                "By event: found in answers, or missed by their deadline.",
                _PER_SECOND,
                [_rate("cueapi_outcomes_decided_total", "event")],
            ),
        ],
        "Dispatcher": [
            Panel(
                "Lateness of attempts",
                "From the time an attempt was due to its start. Dots are traces.",
                _SECONDS,
                _quantiles("cueapi_delivery_lateness_seconds"),
                limit=1.0,
            ),
            Panel(
                "Duration of attempts",
                "From sending to the result: mostly the receivers' time. Dots are traces.",
                _SECONDS,
                _quantiles("cueapi_delivery_duration_seconds"),
            ),
            Panel(
                "Taken back, lost, postponed, missed",
                "Leases of silent workers; attempts nobody put on record (our fault); attempts that"
                " waited for a failing destination; executions no worker claimed.",
                _PER_SECOND,
                [
                    _rate("cueapi_leases_expired_total"),
                    _rate("cueapi_attempts_lost_total"),
                    _rate("cueapi_attempts_postponed_total"),
                    _rate("cueapi_executions_missed_total"),
                ],
            ),
        ],
    },
)

API = Dashboard(
    "cueapi-api",
    "CueAPI / API and commands",
    "Requests as callers see them, and the commands that they become.",
    {
        "Requests": [
            Panel(
                "Requests",
                "By class of status; `none` are callers who left before the answer.",
                "reqps",
                [_rate(f"{_HTTP}_count", "status")],
            ),
            Panel(
                "Until the answer begins",
                "All routes but those that let the caller wait. Dots are traces.",
                _SECONDS,
                _quantiles(_HTTP, '{route!~"/v1/executions/claim|/v1/cues/.+/test"}'),
                limit=0.5,
            ),
            Panel(
                "In hand",
                "Requests that are not answered yet, open streams among them. At 2,000 a process"
                " refuses more.",
                _COUNT,
                [Series("cueapi_http_requests_in_hand", "{{instance}}")],
                limit=2_000,
            ),
            Panel(
                "Slowest routes (p99)",
                "The ten slowest.",
                _SECONDS,
                [
                    Series(
                        "topk(10, histogram_quantile(0.99, sum by (le, method, route)"
                        f" (rate({_HTTP}_bucket{_RATE}))))",
                        "{{method}} {{route}}",
                    )
                ],
                width=12,
            ),
            Panel(
                "Answered 5xx",
                "By route: our fault, each of them is in the log.",
                "reqps",
                [_rate(f"{_HTTP}_count", "method, route", '{status="5xx"}')],
                width=12,
            ),
        ],
        "Commands": [
            Panel(
                "Commands",
                "By how they ended: accepted, refused, unavailable, broken.",
                _PER_SECOND,
                [_rate("cueapi_commands_total", "result")],
            ),
            Panel(
                "Until the reply (p99)",
                "By command, from its arrival in a batch.",
                _SECONDS,
                _quantiles("cueapi_command_duration_seconds", by="command")[1:],
            ),
            Panel(
                "Handled together",
                "Messages in a batch, by consumer: large ones mean much to do.",
                _COUNT,
                _quantiles("cueapi_batch_messages", by="consumer"),
            ),
        ],
    },
)

STORES = Dashboard(
    "cueapi-stores",
    "CueAPI / Broker and Postgres",
    "What all the rest stands on.",
    {
        "Broker": [
            Panel(
                "Connected",
                "1 while a process reaches the broker.",
                _COUNT,
                [Series("min by (service, instance) (cueapi_broker_connected)", "{{service}}")],
            ),
            Panel(
                "Age of the oldest event not told",
                "How far the relay is behind the log.",
                _SECONDS,
                [Series("max(cueapi_relay_lag_seconds)", "lag")],
                limit=5,
            ),
            Panel(
                "Events not told",
                "At most 10,000 are counted.",
                _COUNT,
                [Series("max(cueapi_relay_lag_events)", "events")],
            ),
            Panel(
                "Events told",
                "By the relay that is active: one in the whole system.",
                _PER_SECOND,
                [_rate("cueapi_relay_events_total")],
            ),
            Panel(
                "Active relay",
                "Which scheduler's relay holds the lock.",
                _COUNT,
                [Series("cueapi_relay_active", "{{instance}}")],
            ),
            Panel(
                "Parked messages",
                "Put aside and not dealt with; and how fast more come.",
                _COUNT,
                [
                    Series("max(cueapi_parked_messages)", "parked"),
                    Series("sum(increase(cueapi_messages_parked_total[1h]))", "in the last hour"),
                ],
                limit=1,
            ),
        ],
        "Postgres": [
            Panel(
                "Wait for a connection",
                "What it took to be lent one, over all pools. At a second, a pool is too small.",
                _SECONDS,
                _quantiles("cueapi_postgres_pool_wait_seconds"),
                limit=1.0,
            ),
            Panel(
                "Connections lent",
                "Of each process; the most is CUEAPI_DATABASE_POOL.",
                _COUNT,
                [Series("cueapi_postgres_connections_in_use", "{{service}} {{instance}}")],
            ),
            Panel(
                "Errors",
                "`unavailable`: away, or too slow. `conflict`: another transaction was first, which"
                " is normal now and then.",
                _PER_SECOND,
                [_rate("cueapi_postgres_errors_total", "service, kind")],
            ),
        ],
        "Of these numbers": [
            Panel(
                "Due rows set aside",
                "By the loop that they broke, whoever was in the same transaction.",
                _PER_SECOND,
                [_rate("cueapi_due_rows_broken_total", "timer")],
            ),
            Panel(
                "Readings",
                "Sampled metrics keep their last value while `failed` grows.",
                _PER_SECOND,
                [_rate("cueapi_samples_total", "service, result")],
            ),
            Panel(
                "What a reading takes",
                "The query that each service makes every ten seconds.",
                _SECONDS,
                [Series("max by (service) (cueapi_sample_duration_seconds)", "{{service}}")],
            ),
        ],
    },
)

DASHBOARDS: Sequence[Dashboard] = (OVERVIEW, TIERS, API, STORES)

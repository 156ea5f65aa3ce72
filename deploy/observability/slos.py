"""What the service promises, and the rules that tell when it is about to break a promise.

Many windows, many burn rates, as in Google's SRE workbook, chapter 5 ("Alerting on SLOs"): an alert
fires when the budget burns so fast that it matters, over a long window (it is no blip) and over a
short one (it still goes on).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

RUNBOOKS = "{{ $externalLabels.docs }}/self-hosting/runbooks"
"""Where the runbooks are: Prometheus is told by an external label where the API serves its docs."""

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


class Slo(NamedTuple):
    """A promise. `errors` is the PromQL of the share that broke it, with `{window}` in it.

    `objective` is the share that must keep it, over 30 days.
    """

    name: str
    alert: str
    objective: float
    promise: str
    errors: str

    @property
    def budget(self) -> float:
        """The share that may break it."""
        return round(1 - self.objective, 6)

    def record(self, window: str) -> str:
        """The name of the recorded share over a window."""
        return f"cueapi:{self.name}:error_ratio_{window}"


class Burn(NamedTuple):
    """How fast is too fast: `rate` times the pace at which the budget lasts 30 days."""

    rate: float
    long: str
    short: str
    hold: str
    severity: str


BURNS: Sequence[Burn] = (
    Burn(14.4, "1h", "5m", "2m", "page"),
    Burn(6, "6h", "30m", "15m", "page"),
    Burn(3, "1d", "2h", "1h", "ticket"),
    Burn(1, "3d", "6h", "3h", "ticket"),
)

# Asked by monitors, which expect 503; and answered late because the caller wants to wait.
_MONITORS = 'route!~"/health|/status"'
_WAITING = 'route!~"/v1/executions/claim|/v1/cues/.+/test|/v1/events/stream|unmatched"'
_HTTP = "cueapi_http_request_duration_seconds"

SLOS: Sequence[Slo] = (
    Slo(
        "api_availability",
        "ApiAvailabilityBurn",
        0.999,
        "99.9 % of requests are not answered 5xx",
        f'(sum(rate({_HTTP}_count{{{{status="5xx", {_MONITORS}}}}}[{{window}}])) or vector(0))'
        f' / sum(rate({_HTTP}_count{{{{status!="none", {_MONITORS}}}}}[{{window}}]))',
    ),
    Slo(
        "api_latency",
        "ApiLatencyBurn",
        0.99,
        "99 % of requests that nobody lets wait are answered within half a second",
        f'1 - sum(rate({_HTTP}_bucket{{{{le="0.5", status!="none", {_WAITING}}}}}[{{window}}]))'
        f' / sum(rate({_HTTP}_count{{{{status!="none", {_WAITING}}}}}[{{window}}]))',
    ),
    Slo(
        "firing_lateness",
        "FiringLatenessBurn",
        0.999,
        "99.9 % of executions are made within a second of their slot",
        '1 - sum(rate(cueapi_fire_lateness_seconds_bucket{{le="1.0"}}[{window}]))'
        " / sum(rate(cueapi_fire_lateness_seconds_count[{window}]))",
    ),
    Slo(
        "delivery_loss",
        "DeliveryLossBurn",
        0.9999,
        "of 99.99 % of attempts the result is put on record, whatever the receiver did",
        "sum(rate(cueapi_attempts_lost_total[{window}]))"
        " / (sum(rate(cueapi_attempts_total[{window}]))"
        " + sum(rate(cueapi_attempts_lost_total[{window}])))",
    ),
    Slo(
        "relay_lag",
        "RelayLagBurn",
        0.999,
        "for 99.9 % of the time the broker is told of events within five seconds",
        "avg_over_time(cueapi:relay_late[{window}])",
    ),
)


class Alert(NamedTuple):
    """An alert on what is wrong now, beside the promises."""

    name: str
    expr: str
    hold: str
    severity: str
    summary: str


ALERTS: Sequence[Alert] = (
    Alert(
        "ServiceDown",
        'sum by (service) (up{job="cueapi"}) == 0',
        "2m",
        "page",
        "No process of {{ $labels.service }} can be scraped",
    ),
    Alert(
        "NoData",
        'absent(up{job="cueapi"}) or absent(cueapi_fire_lateness_seconds_count)'
        " or absent(cueapi_relay_lag_seconds) or absent(cueapi_attempts_in_flight)",
        "5m",
        "page",
        "Prometheus gets no metrics, so no other alert can fire",
    ),
    Alert(
        "CanaryFailing",
        "time() - max(cueapi_canary_last_success_timestamp_seconds) > 300",
        "1m",
        "page",
        "The service's own cue has not gone the whole way for five minutes",
    ),
    Alert(
        "WorkOverdue",
        'max by (loop) (cueapi_oldest_due_age_seconds{loop!="delivery"}) > 60',
        "5m",
        "page",
        "Rows for {{ $labels.loop }} have been due for over a minute",
    ),
    Alert(
        "DeliveriesOverdue",
        'max(cueapi_oldest_due_age_seconds{loop="delivery"}) > 60',
        "10m",
        "ticket",
        "Deliveries have been due for over a minute: too few dispatchers, or a slow receiver",
    ),
    Alert(
        "BrokerDisconnected",
        "cueapi_broker_connected == 0",
        "2m",
        "page",
        "{{ $labels.instance }} does not reach the broker",
    ),
    Alert(
        "PostgresFailing",
        'sum by (service) (rate(cueapi_postgres_errors_total{kind="unavailable"}[5m])) > 0.1',
        "3m",
        "page",
        "{{ $labels.service }} does not reach Postgres, or waits too long for a connection",
    ),
    Alert(
        "DueRowsBroken",
        "sum by (timer) (increase(cueapi_due_rows_broken_total[30m])) > 3",
        "1m",
        "ticket",
        "Rows break the loop {{ $labels.timer }} whenever they are taken, and were set aside",
    ),
    Alert(
        "MessagesParked",
        "max(cueapi_parked_messages) > 0",
        "1m",
        "ticket",
        "Messages were put aside, for they broke their handler",
    ),
    Alert(
        "NotificationsWaiting",
        "max(cueapi_notifications_due) > 100",
        "15m",
        "ticket",
        "People are not told of their alerts",
    ),
)


def rules() -> dict[str, Any]:
    """All rules, as Prometheus reads them."""
    return {
        "groups": [
            {"name": "cueapi-shares", "interval": "30s", "rules": [_LATE, *_recorded()]},
            {"name": "cueapi-promises", "interval": "30s", "rules": _burning()},
            {"name": "cueapi-now", "interval": "15s", "rules": [_alerting(a) for a in ALERTS]},
        ]
    }


_LATE = {"record": "cueapi:relay_late", "expr": "max(cueapi_relay_lag_seconds) > bool 5"}


def _recorded() -> list[dict[str, str]]:
    return [
        {"record": slo.record(window), "expr": slo.errors.format(window=window)}
        for slo in SLOS
        for window in WINDOWS
    ]


def _burning() -> list[dict[str, Any]]:
    return [_burn(slo, burn) for slo in SLOS for burn in BURNS]


def _burn(slo: Slo, burn: Burn) -> dict[str, Any]:
    limit = f"{burn.rate:g} * {slo.budget:g}"
    hours = 30 * 24 / burn.rate
    return {
        "alert": slo.alert,
        "expr": f"{slo.record(burn.long)} > {limit} and {slo.record(burn.short)} > {limit}",
        "for": burn.hold,
        "labels": {"severity": burn.severity, "slo": slo.name, "window": burn.long},
        "annotations": {
            "summary": f"{slo.promise}: at this pace the month's budget is gone in {hours:g} hours",
            "runbook_url": f"{RUNBOOKS}/{slo.alert}",
        },
    }


def _alerting(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.hold,
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary,
            "runbook_url": f"{RUNBOOKS}/{alert.name}",
        },
    }

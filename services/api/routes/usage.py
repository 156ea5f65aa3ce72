"""Usage of the month (contract §2 nr 39)."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from libs.events.accounts import Plan, allowance
from services.api.queries.usage import Usage, read_usage
from services.api.routes.call import Call
from services.api.routes.operation import Operations, answer
from services.api.routes.shapes import NoBody, NoQuery
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.timestamps import wire_time_or_none
from services.api.rules.usage import Month, month_of, percent, projected

GRACE = timedelta(hours=24)

usage = Operations("Account")


class BillingPeriodWire(Wire):
    """A calendar month in UTC."""

    start: str
    end: str
    days_remaining: int


class PeriodWire(Wire):
    """The first and the last day."""

    start: str
    end: str


class CueUsageWire(Wire):
    """Cues; the active ones count."""

    used: int
    active: int
    paused: int
    limit: int
    remaining: int
    percent_used: int


class ExecutionUsageWire(Wire):
    """Executions made this month."""

    used: int
    limit: int
    remaining: int
    percent_used: int
    percentage: float
    projected_month_end: int
    will_exceed_limit: bool
    grace_ends_at: Timestamp | None


class OutcomeUsageWire(Wire):
    """Outcomes of the month's executions."""

    reported: int
    succeeded: int
    failed: int


class RateLimitWire(Wire):
    """Requests a minute."""

    limit: int
    requests_per_minute: int
    current_usage: int


class UsageWire(Wire):
    """What the account has used and may use."""

    plan: str
    billing_period: BillingPeriodWire
    period: PeriodWire
    cues: CueUsageWire
    executions: ExecutionUsageWire
    outcomes: OutcomeUsageWire
    rate_limit: RateLimitWire
    upgrade_url: str | None


@usage.add("GET", "/v1/usage", body=NoBody, query=NoQuery, answers={200: UsageWire})
async def get_usage(call: Call[NoBody, NoQuery]) -> Response:
    """Get what the account has used this month, and where that leads."""
    counted_by = call.caller.key_id or call.account_id
    used = await read_usage(call.ports.store, call.account_id, counted_by)
    plan = allowance(call.caller.plan, call.caller.limits)
    month = month_of(used.today)
    start, end = month.start.isoformat(), month.end.isoformat()
    dashboard = call.ports.rules.dashboard_url
    return answer(
        UsageWire(
            plan=plan.name,
            billing_period=BillingPeriodWire(
                start=start, end=end, days_remaining=month.days_remaining
            ),
            period=PeriodWire(start=start, end=end),
            cues=_cues(used, plan),
            executions=_executions(used, plan, month),
            outcomes=OutcomeUsageWire(
                reported=used.reported, succeeded=used.succeeded, failed=used.failed
            ),
            rate_limit=RateLimitWire(
                limit=plan.requests_per_minute,
                requests_per_minute=plan.requests_per_minute,
                current_usage=used.requests,
            ),
            upgrade_url=f"{dashboard.rstrip('/')}/billing" if dashboard else None,
        )
    )


def _cues(used: Usage, plan: Plan) -> CueUsageWire:
    return CueUsageWire(
        used=used.active_cues,
        active=used.active_cues,
        paused=used.paused_cues,
        limit=plan.active_cues,
        remaining=max(0, plan.active_cues - used.active_cues),
        percent_used=int(percent(used.active_cues, plan.active_cues)),
    )


def _executions(used: Usage, plan: Plan, month: Month) -> ExecutionUsageWire:
    limit, count = plan.executions_per_month, used.executions
    expected = projected(count, month)
    grace = used.grace_started_at
    return ExecutionUsageWire(
        used=count,
        limit=limit,
        remaining=max(0, limit - count),
        percent_used=int(percent(count, limit)),
        percentage=round(percent(count, limit), 1),
        projected_month_end=expected,
        will_exceed_limit=expected >= limit,
        grace_ends_at=wire_time_or_none(grace + GRACE if grace else None),
    )

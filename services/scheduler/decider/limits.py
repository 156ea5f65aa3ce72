"""What an account may still do, and the refusals of this service. Pure (contract §10)."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from libs.events.accounts import Plan
from libs.events.base import Rejection, Value
from libs.events.execution_events import ExecutionScheduled

GRACE = timedelta(hours=24)


class Account(Value):
    """What deciding needs to know of an account. `plan` None: no limit is enforced."""

    plan: Plan | None = None
    active_cues: int = 0
    executions: int = 0
    grace_started_at: datetime | None = None


def counted(account: Account, event: ExecutionScheduled) -> Account:
    """Give the account after one more execution."""
    if event.blocked is not None:
        return account
    grace = event.at if event.starts_grace else account.grace_started_at
    return replace(account, executions=account.executions + 1, grace_started_at=grace)


def over_limit(account: Account, now: datetime) -> bool:
    """Whether the month's limit is reached and its 24 hours of grace are over (contract §10)."""
    plan, started = account.plan, account.grace_started_at
    if plan is None or started is None or account.executions < plan.executions_per_month:
        return False
    return now >= started + GRACE


def cue_limit(account: Account) -> Rejection | None:
    """Refuse one more active cue than the plan allows."""
    if account.plan is None or account.active_cues < account.plan.active_cues:
        return None
    name, limit = account.plan.name.capitalize(), account.plan.active_cues
    message = f"{name} plan allows {limit} active cues. Pause or delete one, or upgrade for more."
    return Rejection(code="cue_limit_exceeded", message=message)


def execution_limit(account: Account) -> Rejection:
    """Refuse one more execution after the grace."""
    assert account.plan is not None
    message = (
        f"{account.plan.name.capitalize()} plan allows {account.plan.executions_per_month}"
        " executions a month, and the 24 hours of grace are over. Upgrade for more."
    )
    return Rejection(code="execution_limit_exceeded", message=message)


def account_gone() -> Rejection:
    """Refuse what was sent for an account that has been erased meanwhile."""
    return Rejection(code="invalid_session", message="the account is gone")


def cue_not_found(cue_id: str) -> Rejection:
    """Answer for a cue that is not there, is gone, or is another account's."""
    return Rejection(code="cue_not_found", message=f"no cue {cue_id} in this account")


def duplicate_name(name: str) -> Rejection:
    """Refuse a name that another cue of the account has."""
    message = f"another cue is named '{name}'; choose another name, or delete that cue first"
    return Rejection(code="duplicate_cue_name", message=message)

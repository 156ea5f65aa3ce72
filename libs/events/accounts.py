"""The account: its plan and what it prefers.

The address, the keys and the secrets are not here: they are personal or secret, lie in tables of
the api service alone, and can be erased without touching the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias, assert_never

import msgspec
from msgspec.structs import replace

from libs.events.base import Event, Value

CATEGORY = "account"


class Plan(Value):
    """What a plan allows (contract §10)."""

    name: str
    active_cues: int
    executions_per_month: int
    requests_per_minute: int


PLANS: Mapping[str, Plan] = {
    plan.name: plan
    for plan in (
        Plan(name="free", active_cues=10, executions_per_month=300, requests_per_minute=60),
        Plan(name="pro", active_cues=100, executions_per_month=5_000, requests_per_minute=200),
        Plan(name="scale", active_cues=500, executions_per_month=50_000, requests_per_minute=500),
    )
}


class Limits(Value):
    """What an account is allowed in place of what its plan says; None leaves it to the plan."""

    active_cues: int | None = None
    executions_per_month: int | None = None
    requests_per_minute: int | None = None


def allowance(plan: str, limits: Limits | Mapping[str, int] | None) -> Plan:
    """Give what an account on a plan of `PLANS` may do: its own limits go before the plan's.

    `limits` as its state has them, or as its row has.
    """
    return replace(PLANS[plan], **msgspec.to_builtins(limits or {}))


class AccountRegistered(Event):
    """An account was opened."""

    account_id: str
    plan: str


class ApiKeyIssued(Event):
    """A key was made; the key itself is not told."""

    key_id: str
    label: str
    created_by: str
    is_default: bool = False


class ApiKeyRevoked(Event):
    """A key was ended. `reason`: revoked, or rotated."""

    key_id: str
    reason: str = "revoked"


class ApiKeyShown(Event):
    """A key was given out again; to whom is in the `actor` of the event's meta."""

    key_id: str


class WebhookSecretRotated(Event):
    """Deliveries are signed with a new secret from now on."""


class PlanChanged(Event):
    """Other limits hold."""

    plan: str


class LimitsChanged(Event):
    """An operator gave the account limits of its own; None takes them all away."""

    limits: Limits | None = None


AccountEvent: TypeAlias = (
    AccountRegistered
    | ApiKeyIssued
    | ApiKeyRevoked
    | ApiKeyShown
    | WebhookSecretRotated
    | PlanChanged
    | LimitsChanged
)


class Account(Value, tag_field="stage", tag="open"):
    """An open account."""

    id: str
    plan: str
    created_at: datetime
    updated_at: datetime
    limits: Limits | None = None


def evolve(state: Account | None, event: AccountEvent) -> Account:
    """Fold one event into the account's state."""
    if isinstance(event, AccountRegistered):
        return Account(
            id=event.account_id, plan=event.plan, created_at=event.at, updated_at=event.at
        )
    assert state is not None, f"{type(event).__name__} before AccountRegistered"
    match event:
        case PlanChanged():
            return replace(state, plan=event.plan, updated_at=event.at)
        case LimitsChanged():
            return replace(state, limits=event.limits, updated_at=event.at)
        case ApiKeyIssued() | ApiKeyRevoked() | ApiKeyShown() | WebhookSecretRotated():
            return replace(state, updated_at=event.at)
        case _:
            assert_never(event)


def row(account: Account) -> dict[str, Any]:
    """Project an account onto its row."""
    return {
        "id": account.id,
        "account_id": account.id,
        "plan": account.plan,
        "limits": account.limits,
        "created_at": account.created_at,
        "state": account,
    }

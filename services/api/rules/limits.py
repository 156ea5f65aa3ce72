"""Limits as the api tells and counts them (contract §1, §10)."""

from __future__ import annotations

from typing import Literal

from libs.events.accounts import Plan

ANONYMOUS_REQUESTS_PER_MINUTE = 60
_APPROACHING_PERCENT = 80


def usage_warning(
    plan: Plan, executions: int
) -> Literal["approaching_limit", "limit_reached"] | None:
    """What `X-CueAPI-Usage-Warning` says at this many executions in the month."""
    if executions >= plan.executions_per_month:
        return "limit_reached"
    if executions * 100 >= plan.executions_per_month * _APPROACHING_PERCENT:
        return "approaching_limit"
    return None

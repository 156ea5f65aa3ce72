"""The four stream categories as data: what folds each, what type its state is, and its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from libs.events import (
    accounts,
    alerts,
    cues,
    execution_events,
    execution_rows,
    execution_states,
    executions,
)
from libs.events.base import Event, Value


class Category(Value):
    """How one kind of stream is folded and projected."""

    name: str
    table: str
    state_type: Any
    events: tuple[type[Event], ...]
    evolve: Callable[[Any, Any], Any]
    row: Callable[[Any], dict[str, Any]]


CATEGORIES: Mapping[str, Category] = {
    category.name: category
    for category in (
        Category(
            name=accounts.CATEGORY,
            table="accounts",
            state_type=accounts.Account,
            events=get_args(accounts.AccountEvent),
            evolve=accounts.evolve,
            row=accounts.row,
        ),
        Category(
            name=cues.CATEGORY,
            table="cues",
            state_type=cues.Cue,
            events=get_args(cues.CueEvent),
            evolve=cues.evolve,
            row=cues.row,
        ),
        Category(
            name=executions.CATEGORY,
            table="executions",
            state_type=executions.Execution,
            events=get_args(execution_events.ExecutionEvent),
            evolve=execution_states.evolve,
            row=execution_rows.row,
        ),
        Category(
            name=alerts.CATEGORY,
            table="alerts",
            state_type=alerts.Alert,
            events=get_args(alerts.AlertEvent),
            evolve=alerts.evolve,
            row=alerts.row,
        ),
    )
}

EVENT_TYPES: Mapping[str, type[Event]] = {
    event.__name__: event for category in CATEGORIES.values() for event in category.events
}

CATEGORY_OF_EVENT: Mapping[str, str] = {
    event.__name__: category.name for category in CATEGORIES.values() for event in category.events
}

"""What many statements do alike."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from libs.events.cues import (
    DeletedCue,
)
from tests.simulation.store import StoreUnit, Twin


def oldest_due(unit: StoreUnit, category: str, column: str) -> list[str]:
    """Name the streams that are due now by this column, the longest due first."""
    due = unit.store.searched[category, column]
    return [key for at, key in sorted((at, key) for key, at in due.items() if at <= unit.now)]


def next_in(category: str, column: str) -> Twin:
    """Make the twin that gives the seconds until the nearest due time."""

    async def seconds(unit: StoreUnit, params: Any) -> list[Any]:
        waiting = unit.store.searched[category, column]
        dues = [at for key, at in waiting.items() if key not in params[0]]
        return [{"next_in": until(unit, dues)}]

    return seconds


def until(unit: StoreUnit, dues: Any) -> float | None:
    """Give the seconds until the first of some instants, or None without any."""
    nearest: datetime | None = min(dues, default=None)
    return None if nearest is None else (nearest - unit.store.clock()).total_seconds()


def living(unit: StoreUnit, cue_id: str) -> Any:
    """Give a cue that is not deleted, or None."""
    cue = unit.store.state("cue", cue_id)
    return None if cue is None or isinstance(cue, DeletedCue) else cue


def instant(text: str | None) -> datetime | None:
    """Read an instant from a document."""
    return None if text is None else datetime.fromisoformat(text)


async def none(_: StoreUnit, __: Any) -> list[Any]:
    """Do nothing, for what nobody reads here."""
    return []

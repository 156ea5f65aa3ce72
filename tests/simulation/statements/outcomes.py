"""The outcomes service's statements in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.outcomes import queries
from tests.simulation.statements.rows import living, next_in, oldest_due
from tests.simulation.store import StoreUnit, Twin


async def due(unit: StoreUnit, params: Any) -> list[Any]:
    taken: list[Any] = []
    for key in oldest_due(unit, "execution", "outcome_due_at"):
        if key in params["without"]:
            continue
        if len(taken) == params["limit"]:
            break
        if held := await unit.take("execution", key):
            cue = living(unit, held.state.facts.cue_id)
            mode = cue.facts.settings.verification.value if cue else "none"
            taken.append((key, held.version, unit.store.text("execution", key), mode))
    return taken


async def modes(unit: StoreUnit, params: Any) -> list[Any]:
    cues = [(key, living(unit, key)) for key in params[0]]
    return [(key, cue.facts.settings.verification.value) for key, cue in cues if cue]


TWINS: Mapping[str, Twin] = {
    queries._DUE: due,
    queries._NEXT_IN: next_in("execution", "outcome_due_at"),
    queries._MODES: modes,
}

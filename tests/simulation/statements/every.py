"""The twins of all statements that the four services run."""

from __future__ import annotations

from collections.abc import Mapping

from tests.simulation.statements import (
    alerts,
    dispatcher,
    notifications,
    outcomes,
    scheduler,
    watches,
)
from tests.simulation.store import Twin

TWINS: Mapping[str, Twin] = {
    **scheduler.TWINS,
    **dispatcher.TWINS,
    **outcomes.TWINS,
    **alerts.TWINS,
    **watches.TWINS,
    **notifications.TWINS,
}

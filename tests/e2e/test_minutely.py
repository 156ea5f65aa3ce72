"""A recurring cue fires at each minute, on time, once (contract §5)."""

from datetime import datetime, timedelta

import pytest

from tests.e2e.conftest import Minutely
from tests.e2e.receiver import Arrival
from tests.e2e.waiting import eventually
from tests.e2e.world import World

pytestmark = pytest.mark.e2e


async def test_a_recurring_cue_fires_when_the_minute_turns(
    minutely: Minutely, world: World
) -> None:
    api, cue = minutely.api, minutely.cue
    first = datetime.fromisoformat(cue["next_run"])
    assert (first.second, first.microsecond) == (0, 0)
    assert first.utcoffset() in (timedelta(hours=1), timedelta(hours=2))

    async def looked() -> Arrival | None:
        return minutely.hook.arrivals[0] if minutely.hook.arrivals else None

    arrival = await eventually(looked, "the minute turns", 75)
    assert datetime.fromisoformat(arrival.headers["X-CueAPI-Scheduled-For"]) == first
    done = await api.when(arrival.execution_id, outcome_state="reported_success")
    assert done["triggered_by"] == "scheduled"
    after = await api.cue(cue["id"])
    assert after["status"] == "active"
    assert datetime.fromisoformat(after["next_run"]) > first

"""Whatever happens, both forms of the log hold the same."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from libs.events.log import PostgresLog
from tests.libs.events.forms import InMemory, OnPostgres
from tests.libs.events.histories import Numbers, World, histories


@pytest.mark.integration
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(histories)
async def test_one_history_gives_the_same_on_both(
    postgres_log: PostgresLog, history: list[Numbers]
) -> None:
    memory, postgres, world = InMemory(), OnPostgres(postgres_log), World()
    for numbers in history:
        async with memory.log.transaction() as unit:
            await world.transact(unit, numbers)
        async with postgres.log.transaction() as twin:
            for category, key in world.keys:
                await twin.lock(category, [key])
            for item in unit.recorded:
                twin.record(item.category, item.key, item.account_id, [item.event], item.meta)
    for category, key in world.keys:
        stream = f"{category}-{key}"
        assert await memory.stream(stream) == await postgres.stream(stream)
        assert await memory.row(category, key) == await postgres.row(category, key)
        assert await memory.activity(key) == await postgres.activity(key)
    assert await memory.usage(world.account_id) == await postgres.usage(world.account_id)

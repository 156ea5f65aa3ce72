"""What is sampled from the database: the right numbers, by indexes alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

import pytest
from prometheus_client import REGISTRY

from libs.runtime.health import Health
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database
from libs.runtime.sampling import Sampling
from services.alerts.tables import notifications
from services.alerts.timers import noticing
from services.dispatcher import queries as dispatcher
from services.dispatcher.timers import due
from services.outcomes import queries as outcomes
from services.outcomes import timers as outcomes_timers
from services.scheduler import queries as scheduler
from services.scheduler import timers as scheduler_timers

pytestmark = pytest.mark.integration

_EXECUTION = """
insert into executions (id, account_id, cue_id, transport, status, triggered_by, scheduled_for,
       created_at, delivery_due_at, outcome_due_at, has_evidence, version, state)
select gen_random_uuid(), gen_random_uuid(), 'cue_' || n, 'webhook', %(status)s, 'fire', now(),
       now(), now() - %(delivery)s * interval '1 second',
       now() - %(outcome)s * interval '1 second', false, 1, '{}'
  from generate_series(1, %(count)s) n
"""


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(postgres_url, name="sampled")
    await database.open()
    yield database
    await database.execute("delete from executions")
    await database.close()


def value(name: str, **labels: str) -> float:
    found = REGISTRY.get_sample_value(name, labels)
    assert found is not None, f"{name} {labels} was not set"
    return found


async def executions(
    database: Database, status: str, count: int, *, delivery: int | None, outcome: int | None
) -> None:
    row = {"status": status, "count": count, "delivery": delivery, "outcome": outcome}
    await database.execute(_EXECUTION, row)


async def test_open_executions_are_counted_by_state(database: Database) -> None:
    await executions(database, "pending", 3, delivery=40, outcome=None)
    await executions(database, "retrying", 2, delivery=-60, outcome=None)
    await executions(database, "delivering", 1, delivery=-60, outcome=-60)
    await executions(database, "success", 4, delivery=None, outcome=25)
    await executions(database, "success", 5, delivery=None, outcome=None)

    await outcomes_timers.sample(database)
    await due.sample(database)

    states = ("pending", "retrying", "delivering", "awaiting_outcome")
    assert [value("cueapi_executions_open", state=state) for state in states] == [3, 2, 1, 4]
    assert 40 <= value("cueapi_oldest_due_age_seconds", loop="delivery") < 60
    assert 25 <= value("cueapi_oldest_due_age_seconds", loop="outcome") < 45


async def test_nothing_due_is_an_age_of_zero(database: Database) -> None:
    await executions(database, "retrying", 1, delivery=-60, outcome=None)
    for sample in (outcomes_timers.sample, due.sample, noticing.sample, scheduler_timers.sample):
        await sample(database)
    loops = ("cues", "delivery", "outcome", "notifications")
    assert [value("cueapi_oldest_due_age_seconds", loop=loop) for loop in loops] == [0.0] * 4
    assert value("cueapi_notifications_due") == 0


async def test_what_the_broker_was_not_told_of_and_what_is_parked_is_seen(
    database: Database,
) -> None:
    await database.execute(
        "insert into events (id, month, stream_id, version, type, schema_version, account_id, data,"
        " meta, recorded_at) values (%s, '2000-01-01', 'cue-x', 1, 'CueCreated', 1, %s, '{}', '{}',"
        " now() - interval '9 seconds')",
        [new_uuid(), new_uuid()],
    )
    await database.execute(
        "insert into parked_messages (consumer, subject, body, error) values ('c', 's', '', 'e')"
    )
    await scheduler_timers.sample(database)
    assert value("cueapi_relay_lag_events") == 1
    assert 9 <= value("cueapi_relay_lag_seconds") < 30
    assert value("cueapi_parked_messages") == 1


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        (scheduler._WAITING, ()),
        (dispatcher._OLDEST_DUE, ()),
        (outcomes._OPEN, {"most": outcomes.MOST_COUNTED}),
        (notifications._BACKLOG, ()),
    ],
    ids=["scheduler", "dispatcher", "outcomes", "alerts"],
)
async def test_a_sample_never_reads_a_large_table_through(
    database: Database, sql: str, params: Mapping[str, Any] | Sequence[Any]
) -> None:
    async with database.transaction() as (connection, _):
        await connection.execute("set local enable_seqscan = off")
        cursor = await connection.execute("explain " + sql, params)
        plan = "\n".join(row[0] for row in await cursor.fetchall())
    large = ("executions", "events", "events_lasting", "cues", "notifications")
    assert not [name for name in large if f"Seq Scan on {name}" in plan], plan


async def test_postgres_being_away_is_counted_and_waited_out() -> None:
    def failed() -> float:
        return REGISTRY.get_sample_value("cueapi_samples_total", {"result": "failed"}) or 0.0

    gone = Database("postgresql://127.0.0.1:1/nowhere?connect_timeout=1", name="gone")
    before = failed()
    await Sampling(partial(due.sample, gone), Health()).run_once()
    assert failed() == before + 1

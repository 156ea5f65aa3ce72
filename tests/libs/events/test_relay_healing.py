"""One relay is active; and what the broker has lost is told again."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from deploy.local.waiting import until
from libs.events.bus import Bus, Unanswered
from libs.events.provision import provision
from libs.events.relay import Relay
from libs.events.subjects import EVENTS
from libs.runtime.health import Health
from libs.runtime.postgres import Database
from tests.libs.events.conftest import connected
from tests.libs.events.receiving import SECONDS
from tests.libs.events.relaying import (
    acknowledge,
    acknowledge_all_but,
    append,
    has_told,
    holders,
    holders_are,
    opened,
    relay_all,
    running,
    told,
    told_ids,
    wiped,
)
from tests.servers import NatsServer

pytestmark = pytest.mark.integration


async def test_of_two_relays_one_is_active_and_the_other_takes_over(
    postgres_url: str, empty_log: Database, bus: Bus, nats: NatsServer
) -> None:
    async with opened(Database(postgres_url)) as other, connected(nats, "other") as other_bus:
        relays = [Relay(empty_log, bus, Health()), Relay(other, other_bus, Health())]
        async with running(relays[0]), running(relays[1]):
            await until(partial(holders_are, empty_log, 1), SECONDS)
            (first,) = await holders(empty_log)
            await until(partial(has_told, bus, await append(empty_log)), SECONDS)
            assert await holders(empty_log) == [first]
            await empty_log.rows("select pg_terminate_backend(%s)", [first])
            await until(partial(has_told, bus, await append(empty_log)), SECONDS)
            await until(partial(holders_are, empty_log, 1), SECONDS)
            assert await holders(empty_log) != [first]


async def test_a_relay_whose_session_is_gone_stops_when_told(
    relay: Relay, empty_log: Database
) -> None:
    async with running(relay) as task:
        await until(partial(holders_are, empty_log, 1), SECONDS)
        await empty_log.rows("select pg_terminate_backend(%s, 5000)", await holders(empty_log))
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=SECONDS)
        assert done


async def test_only_who_holds_the_lock_is_active(
    postgres_url: str, empty_log: Database, bus: Bus, logs: list[Any]
) -> None:
    relay, other = Relay(empty_log, bus, Health()), Relay(empty_log, bus, Health())
    async with relay._active() as held, other._active() as also:
        assert held is not None
        assert also is None
    async with other._active() as free:
        assert free is not None


async def test_a_wiped_broker_is_told_again_from_the_oldest_unacknowledged(
    relay: Relay, empty_log: Database, bus: Bus, nats: NatsServer
) -> None:
    await relay.inspect_stream()
    ids = []
    for _ in range(6):
        ids += await append(empty_log)
        await relay_all(relay)
    fires = [notice.id for notice in await told(bus) if notice.type == "ExecutionScheduled"]
    await acknowledge_all_but(bus, "dispatcher")
    await acknowledge(bus, "dispatcher", 3)
    assert not await relay.inspect_stream()
    await wiped(nats, bus)
    assert await relay.inspect_stream(), "the loss went unnoticed"
    await relay_all(relay)
    again = await told_ids(bus)
    assert set(fires[3:]) <= set(again), "an unacknowledged notice was left out"
    assert not set(fires[:3]) & set(again), "told again of what every consumer was done with"
    assert not await relay.inspect_stream()
    assert await relay.run_once() == 0


async def test_a_broker_wiped_twice_is_told_again_twice(
    relay: Relay, empty_log: Database, bus: Bus, nats: NatsServer
) -> None:
    await relay.inspect_stream()
    ids = await append(empty_log, 3)
    await relay_all(relay)
    for _ in range(2):
        await wiped(nats, bus)
        assert await relay.inspect_stream()
        await relay_all(relay)
        assert await has_told(bus, ids)


async def test_a_stream_that_is_shorter_than_it_was_is_told_again(
    relay: Relay, empty_log: Database, bus: Bus
) -> None:
    await relay.inspect_stream()
    ids = await append(empty_log, 2)
    await relay_all(relay)
    await bus.jetstream.purge_stream(EVENTS)
    await empty_log.execute("update relay set last_sequence = last_sequence + 10")
    assert await relay.inspect_stream()
    assert await relay_all(relay) == len(ids)
    assert not await relay.inspect_stream()


async def test_a_stream_that_somebody_else_made_anew_loses_nothing(
    relay: Relay, empty_log: Database, bus: Bus
) -> None:
    await relay.inspect_stream()
    ids: list[str] = []
    for _ in range(4):
        ids += await append(empty_log)
        await relay_all(relay)
    await acknowledge_all_but(bus, "dispatcher")
    await acknowledge(bus, "dispatcher", 2)
    await relay.inspect_stream()
    unacknowledged = [n.id for n in await told(bus) if n.type == "ExecutionScheduled"][2:]
    await bus.jetstream.delete_stream(EVENTS)
    await provision(bus.jetstream)
    # The relay goes on before it looks at the stream, and comes to sequences that it knows.
    ids += await append(empty_log)
    with pytest.raises(Unanswered, match="lost"):
        await relay.run_once()
    assert await relay.inspect_stream()
    await relay_all(relay)
    assert await has_told(bus, [*unacknowledged, ids[-1]])


async def test_a_running_relay_tells_without_a_nudge(
    relay: Relay, empty_log: Database, bus: Bus
) -> None:
    async with running(relay):
        await until(partial(has_told, bus, await append(empty_log)), SECONDS)
        await until(partial(has_told, bus, await append(empty_log)), SECONDS)


async def test_a_running_relay_heals_a_broker_that_lost_its_streams(
    relay: Relay, empty_log: Database, bus: Bus
) -> None:
    async with running(relay):
        first = await append(empty_log)
        await until(partial(has_told, bus, first), SECONDS)
        await bus.jetstream.delete_stream(EVENTS)
        second = await append(empty_log)
        await until(partial(has_told, bus, first + second), SECONDS)


async def test_a_running_relay_outlives_a_broker_that_is_away(
    relay: Relay, empty_log: Database, bus: Bus, nats: NatsServer
) -> None:
    async with running(relay) as task:
        await until(partial(has_told, bus, await append(empty_log)), SECONDS)
        await nats.kill()
        ids = await append(empty_log)
        relay.nudge()
        await nats.start()
        await until(partial(has_told, bus, ids), SECONDS)
        assert not task.done()

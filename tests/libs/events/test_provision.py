"""Provisioning a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import APIError

from libs.events.bus import Bus
from libs.events.envelope import encode
from libs.events.provision import is_provisioned, provision
from libs.events.subjects import (
    COMMANDS,
    CONSUMERS,
    EVENTS,
    STREAMS,
    commands_consumer,
    event_subject,
    events_consumer,
)
from tests.libs.events.receiving import notice_of
from tests.servers import NatsServer

pytestmark = pytest.mark.integration


@pytest.fixture
async def jetstream(nats: NatsServer) -> AsyncIterator[JetStreamContext]:
    """A broker without any stream."""
    bus = Bus(nats.url, "test")
    await bus.connect()
    for stream in await bus.jetstream.streams_info():
        await bus.jetstream.delete_stream(str(stream.config.name))
    yield bus.jetstream
    await bus.close()


async def consumer(jetstream: JetStreamContext, stream: str, name: str) -> ConsumerConfig:
    config: ConsumerConfig = (await jetstream.consumer_info(stream, name)).config
    return config


async def stream(jetstream: JetStreamContext, name: str) -> StreamConfig:
    return (await jetstream.stream_info(name)).config


async def test_everything_is_made_and_then_left_alone(jetstream: JetStreamContext) -> None:
    names = {*(part.name for part in STREAMS), *(part.name for part in CONSUMERS)}
    assert set(await provision(jetstream)) == names
    assert await provision(jetstream) == []


async def test_two_who_provision_at_once_get_on(jetstream: JetStreamContext) -> None:
    await asyncio.gather(provision(jetstream), provision(jetstream))
    assert await provision(jetstream) == []


async def test_streams_and_consumers_are_as_they_are_written_down(
    jetstream: JetStreamContext,
) -> None:
    await provision(jetstream)
    for wanted in STREAMS:
        made = await stream(jetstream, wanted.name)
        assert made.subjects == list(wanted.subjects)
        assert made.max_age == wanted.max_age
        assert made.max_bytes == wanted.max_bytes
        assert made.duplicate_window == wanted.duplicate_window
    for part in CONSUMERS:
        config = await consumer(jetstream, part.stream, part.name)
        assert config.ack_policy == "explicit"
        assert config.durable_name == part.name
        assert config.ack_wait == part.ack_wait
        assert config.max_deliver == -1


async def test_replicas_are_asked_of_the_broker(jetstream: JetStreamContext) -> None:
    with pytest.raises(APIError, match="replicas > 1 not supported in non-clustered mode"):
        await provision(jetstream, replicas=3)


async def test_a_stream_is_told_to_have_other_replicas(jetstream: JetStreamContext) -> None:
    await provision(jetstream, replicas=1)
    with pytest.raises(APIError, match="replicas > 1 not supported in non-clustered mode"):
        await provision(jetstream, replicas=3)


async def test_what_is_missing_is_made_again(jetstream: JetStreamContext) -> None:
    await provision(jetstream)
    await jetstream.delete_consumer(EVENTS, "alerts-events")
    assert not await is_provisioned(jetstream, events_consumer("alerts"))
    assert await provision(jetstream) == ["alerts-events"]
    assert await is_provisioned(jetstream, events_consumer("alerts"))
    await jetstream.delete_stream(COMMANDS)
    assert not await is_provisioned(jetstream, commands_consumer("scheduler"))
    assert COMMANDS in await provision(jetstream)


@pytest.mark.parametrize(
    "drift",
    [
        {"filter_subjects": ["events.cue.CueDeleted"]},
        {"ack_wait": 5.0},
        {"max_ack_pending": 7},
        {"max_deliver": 3},
    ],
    ids=lambda drift: next(iter(drift)),
)
async def test_a_consumer_that_was_changed_is_changed_back(
    jetstream: JetStreamContext, drift: dict[str, object]
) -> None:
    await provision(jetstream)
    config = await consumer(jetstream, EVENTS, "alerts-events")
    await jetstream.add_consumer(EVENTS, replace(config, **drift))  # type: ignore[arg-type]
    assert await consumer(jetstream, EVENTS, "alerts-events") != config
    assert await provision(jetstream) == ["alerts-events"]
    assert await consumer(jetstream, EVENTS, "alerts-events") == config


@pytest.mark.parametrize(
    "drift",
    [
        {"subjects": ["events.>", "more.>"]},
        {"max_age": 60.0, "duplicate_window": 60.0},
        {"max_bytes": 1024 * 1024},
    ],
    ids=lambda drift: next(iter(drift)),
)
async def test_a_stream_that_was_changed_is_changed_back(
    jetstream: JetStreamContext, drift: dict[str, object]
) -> None:
    await provision(jetstream)
    config = await stream(jetstream, EVENTS)
    await jetstream.update_stream(replace(config, **drift))  # type: ignore[arg-type]
    assert await provision(jetstream) == [EVENTS]
    assert await stream(jetstream, EVENTS) == config


async def test_a_change_back_skips_nothing(jetstream: JetStreamContext) -> None:
    await provision(jetstream)
    subject = event_subject("DeliveryFailed")
    for _ in range(3):
        await jetstream.publish(subject, encode([notice_of("DeliveryFailed")]))
    config = await consumer(jetstream, EVENTS, "alerts-events")
    await jetstream.add_consumer(EVENTS, replace(config, max_ack_pending=7))
    await provision(jetstream)
    assert (await jetstream.consumer_info(EVENTS, "alerts-events")).num_pending == 3

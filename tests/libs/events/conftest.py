"""Fixtures of the kernel's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from libs.events.bus import Bus
from libs.events.relay import Relay
from libs.events.subjects import STREAMS
from libs.runtime.health import Health
from libs.runtime.postgres import Database
from tests.libs.events.forms import Form, InMemory, OnPostgres
from tests.libs.events.relaying import opened
from tests.servers import NatsServer


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged, instead of on the terminal."""
    with capture_logs() as captured:
        yield captured


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def form(request: pytest.FixtureRequest) -> Form:
    """Each form of the log in turn."""
    if request.param == "memory":
        return InMemory()
    return OnPostgres(request.getfixturevalue("postgres_log"))


@pytest.fixture
async def bus(nats: NatsServer) -> AsyncIterator[Bus]:
    """A connection to the broker, with empty streams."""
    async with connected(nats, "test") as made:
        for stream in STREAMS:
            await made.jetstream.purge_stream(stream.name)
        yield made


@pytest.fixture
async def owner(nats: NatsServer) -> AsyncIterator[Bus]:
    """Another process's connection."""
    bus = Bus(nats.url, "owner")
    yield bus
    await bus.close()


@asynccontextmanager
async def connected(nats: NatsServer, name: str) -> AsyncIterator[Bus]:
    """Connect to the broker while the block runs."""
    made = Bus(nats.url, name)
    await made.connect()
    try:
        yield made
    finally:
        await made.close()


_NOTHING_HAS_HAPPENED = """
truncate events, cues, executions, usage, cue_activity, relay_trail;
update relay set xid = '0', pos = 0, stream_created_at = '', last_sequence = 0,
       acknowledged_sequence = 0
"""


@pytest.fixture
async def empty_log(postgres_url: str) -> AsyncIterator[Database]:
    """A log without an event, and a relay that has told of nothing."""
    async with opened(Database(postgres_url)) as pool:
        await pool.execute(_NOTHING_HAS_HAPPENED)
        yield pool


@pytest.fixture
def relay(empty_log: Database, bus: Bus) -> Relay:
    """A relay from that log to the broker."""
    return Relay(empty_log, bus, Health())

"""Calls: a command that is done at most once, by one replica, and answered when it is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from libs.events.answers import DeliveryTestAnswer, RequestMade
from libs.events.base import Rejection, Value
from libs.events.bus import Bus, Refused, Unanswered
from libs.events.envelope import Meta
from libs.events.examples import example
from libs.events.execution_commands import SendTestDelivery
from libs.events.receive import Receiver
from libs.runtime.health import Health
from libs.runtime.postgres import Database, Unavailable
from tests.libs.events.streams_of import META

pytestmark = pytest.mark.integration

CALL = example(SendTestDelivery)
ANSWER = DeliveryTestAnswer(
    request=RequestMade(method="POST", url="https://a.example", headers={}, body="{}"),
    duration_ms=3,
)
SECONDS = 20.0

Handle = Callable[[SendTestDelivery, Meta], Awaitable[Value | Rejection]]


@asynccontextmanager
async def listening(bus: Bus, database: Database, handle: Handle) -> AsyncIterator[None]:
    receiver = Receiver(bus, database, Health())
    receiver.calls(SendTestDelivery, handle)
    task = asyncio.create_task(receiver.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def called(bus: Bus, timeout: float = SECONDS) -> Value:
    """Call as soon as somebody listens: nobody does in the first moment."""
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                return await bus.call(CALL, meta=META, timeout=timeout)
            except Unanswered as error:
                if "NoResponders" not in str(error):
                    raise
                await asyncio.sleep(0.01)


async def test_a_call_is_answered_with_what_its_handler_gives(
    bus: Bus, owner: Bus, database: Database
) -> None:
    heard = []

    async def handle(command: SendTestDelivery, meta: Meta) -> Value:
        heard.append((command, meta))
        return ANSWER

    async with listening(owner, database, handle):
        assert await called(bus) == ANSWER
    assert heard == [(CALL, META)]


async def test_a_refusal_travels_too(bus: Bus, owner: Bus, database: Database) -> None:
    async def handle(_: SendTestDelivery, __: Meta) -> Rejection:
        return Rejection(code="cue_not_found", message="no such cue")

    async with listening(owner, database, handle):
        with pytest.raises(Refused, match="no such cue"):
            await called(bus)


async def test_nobody_listening_is_told_at_once(bus: Bus) -> None:
    with pytest.raises(Unanswered, match="NoResponders"):
        await bus.call(CALL, meta=META, timeout=SECONDS)


@pytest.mark.parametrize("error", [Unavailable("Postgres is away"), ZeroDivisionError()])
async def test_a_call_that_breaks_is_answered_and_made_once(
    bus: Bus, owner: Bus, database: Database, error: Exception
) -> None:
    calls = 0

    async def handle(_: SendTestDelivery, __: Meta) -> Value:
        nonlocal calls
        calls += 1
        raise error

    async with listening(owner, database, handle):
        with pytest.raises(Unanswered, match="nobody could do SendTestDelivery"):
            await called(bus)
    assert calls == 1


async def test_slow_calls_wait_side_by_side(bus: Bus, owner: Bus, database: Database) -> None:
    together = asyncio.Barrier(3)

    async def handle(_: SendTestDelivery, __: Meta) -> Value:
        await together.wait()
        return ANSWER

    async with listening(owner, database, handle):
        answers = await asyncio.gather(*(called(bus) for _ in range(3)))
    assert answers == [ANSWER] * 3


async def test_a_call_in_hand_at_the_stop_is_answered(
    bus: Bus, owner: Bus, database: Database
) -> None:
    begun = asyncio.Event()

    async def handle(_: SendTestDelivery, __: Meta) -> Value:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError("it waits until it is stopped")

    async with listening(owner, database, handle):
        asking = asyncio.create_task(called(bus))
        async with asyncio.timeout(SECONDS):
            await begun.wait()
    async with asyncio.timeout(SECONDS):
        with pytest.raises(Unanswered, match="nobody could do"):
            await asking


async def test_who_asks_does_not_wait_for_ever(bus: Bus, owner: Bus, database: Database) -> None:
    async def handle(_: SendTestDelivery, __: Meta) -> Value:
        await asyncio.Event().wait()
        raise AssertionError("it waits until it is stopped")

    async with listening(owner, database, handle):
        with pytest.raises(Unanswered, match="Timeout"):
            await called(bus, timeout=0.5)

"""What breaks its handler, or is no message, is tried a few times and parked; nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from deploy.local.waiting import until
from libs.events.bus import Bus
from libs.events.envelope import CommandEnvelope, Notice, Reply, encode
from libs.events.examples import example
from libs.events.execution_commands import RequestVerification
from libs.events.log import PostgresLog
from libs.events.parked import parked_messages, retry, skip
from libs.events.receive import PARK_AFTER, growing_delay
from libs.events.subjects import COMMANDS, EVENTS, event_subject
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database
from tests.libs.events.receiving import (
    CREATE,
    REACTED,
    SECONDS,
    commands_done,
    events_done,
    is_done_with,
    notice_of,
    parked,
    receiving,
    send,
    shop_on,
    tell,
)
from tests.libs.events.shop import create, envelope_of
from tests.libs.events.streams_of import META

pytestmark = pytest.mark.integration


async def test_a_command_that_is_no_message_is_parked_and_spoils_nothing(
    bus: Bus, owner: Bus, database: Database, postgres_log: PostgresLog
) -> None:
    await bus.publish(COMMANDS, CREATE, b"\xff\x00{", new_uuid())
    async with receiving(owner, database, commands=shop_on(postgres_log)):
        await bus.ask(create(), meta=META)
        await commands_done(bus)
    (message,) = await parked(database)
    assert message["consumer"] == "scheduler-commands"
    assert message["subject"] == CREATE
    assert message["body"] == b"\xff\x00{"


async def test_a_notice_that_is_no_message_is_parked_and_spoils_nothing(
    bus: Bus, owner: Bus, database: Database
) -> None:
    heard: list[Notice] = []

    async def listen(notices: Sequence[Notice]) -> None:
        heard.extend(notices)

    good = notice_of(REACTED)
    await bus.publish(EVENTS, event_subject(REACTED), b'[{"id": 7}]', new_uuid())
    await tell(bus, good)
    async with receiving(owner, database, events=listen):
        await events_done(bus)
    assert [message["body"] for message in await parked(database)] == [b'[{"id": 7}]']
    assert heard == [good]


async def test_a_command_that_breaks_its_handler_is_tried_a_few_times_and_parked(
    bus: Bus, owner: Bus, database: Database, postgres_log: PostgresLog
) -> None:
    poison = envelope_of(example(RequestVerification))
    tries = 0
    shop = shop_on(postgres_log)

    async def counting(envelopes: Sequence[CommandEnvelope]) -> Sequence[Reply]:
        nonlocal tries
        tries += sum(envelope.id == poison.id for envelope in envelopes)
        return await shop(envelopes)

    await send(bus, poison)
    async with receiving(owner, database, commands=counting):
        await bus.ask(create(), meta=META)
        await commands_done(bus)
    (message,) = await parked(database)
    assert message["body"] == encode(poison)
    assert "Poison" in str(message["error"])
    assert tries == PARK_AFTER <= 10


async def test_a_notice_that_breaks_its_handler_is_tried_a_few_times_and_parked(
    bus: Bus, owner: Bus, database: Database
) -> None:
    poison = notice_of(REACTED)
    tries = 0

    async def breaking(notices: Sequence[Notice]) -> None:
        nonlocal tries
        if poison in notices:
            tries += 1
            raise ZeroDivisionError("poison")

    taken: list[dict[str, object]] = []

    async def is_parked() -> bool:
        taken.extend(await parked(database))
        return bool(taken)

    await tell(bus, poison)
    async with receiving(owner, database, events=breaking):
        await until(is_parked, SECONDS)
    (message,) = taken
    assert message["body"] == encode([poison])
    assert "poison" in str(message["error"])
    assert tries == PARK_AFTER <= 10


async def test_a_notice_that_is_handled_after_all_is_not_parked(
    bus: Bus, owner: Bus, database: Database
) -> None:
    tries = 0

    async def at_last(_: Sequence[Notice]) -> None:
        nonlocal tries
        tries += 1
        if tries < PARK_AFTER:
            raise ZeroDivisionError

    await tell(bus, notice_of(REACTED))
    async with receiving(owner, database, events=at_last):
        await events_done(bus)
    assert tries == PARK_AFTER
    assert await parked(database) == []


async def test_what_cannot_be_parked_yet_is_put_back(
    bus: Bus, owner: Bus, database: Database, postgres_url: str
) -> None:
    closed = Database(postgres_url)
    await bus.publish(EVENTS, event_subject(REACTED), b"?", new_uuid())

    async def listen(_: Sequence[Notice]) -> None: ...

    async def come_back() -> bool:
        info = await bus.jetstream.consumer_info(EVENTS, "scheduler-events")
        return (info.num_redelivered or 0) > 0

    async with receiving(owner, closed, events=listen):
        await until(come_back, SECONDS)
    assert await parked(database) == []
    assert not await is_done_with(bus, EVENTS, "scheduler-events")


def test_a_message_comes_back_later_each_time_and_half_a_minute_later_at_most() -> None:
    for deliveries in range(1, 20):
        whole = min(2.0**deliveries, 30.0)
        assert whole / 2 <= growing_delay(deliveries) <= whole


async def test_what_was_parked_is_sent_again_after_it_was_mended(
    bus: Bus, owner: Bus, database: Database, postgres_log: PostgresLog
) -> None:
    await database.execute("delete from parked_messages")
    command = envelope_of(create())
    await database.execute(
        "insert into parked_messages (consumer, subject, body, error)"
        " values ('scheduler-commands', %s, %s, 'it broke')",
        [CREATE, encode(command)],
    )
    [found] = await parked_messages(database, 10)
    assert (found.subject, found.error) == (CREATE, "it broke")
    async with receiving(owner, database, commands=shop_on(postgres_log)):
        assert await retry(database, bus, [found.id, found.id + 1]) == [found.id]
        await commands_done(bus)
    assert await parked_messages(database, 10) == []
    rows = await database.rows("select 1 from events where stream_id like 'cue-%%'")
    assert rows


async def test_what_is_skipped_is_gone(database: Database) -> None:
    await database.execute("delete from parked_messages")
    for error in ("first", "second"):
        await database.execute(
            "insert into parked_messages (consumer, subject, body, error)"
            " values ('c', 's', 'x', %s)",
            [error],
        )
    second, first = await parked_messages(database, 10)
    assert (first.error, second.error) == ("first", "second")
    assert await skip(database, [first.id, second.id + 1]) == [first.id]
    assert [message.id for message in await parked_messages(database, 1)] == [second.id]

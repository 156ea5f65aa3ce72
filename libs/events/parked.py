"""Messages that could not be handled, put aside by the receiver: looked at, sent again, dropped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from libs.events.base import Value
from libs.events.bus import Bus
from libs.events.subjects import CONSUMERS
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database

_COLUMNS = "id, consumer, subject, body, error, parked_at"


class Parked(Value):
    """A message as it was put aside; `error` says what its handler met."""

    id: int
    consumer: str
    subject: str
    body: bytes
    error: str
    parked_at: datetime


async def parked_messages(database: Database, limit: int) -> list[Parked]:
    """Give the latest ones, newest first."""
    rows = await database.rows(
        f"select {_COLUMNS} from parked_messages order by id desc limit %s",  # noqa: S608
        [limit],
    )
    return [Parked(**row) for row in rows]


async def retry(database: Database, bus: Bus, ids: Sequence[int]) -> list[int]:
    """Send messages again, as new ones, to all who hear their subject; give the ids of those sent.

    One that is sent and not deleted, because this process died in between, may be sent twice:
    handlers take repeats. Raises `Unanswered` when the broker takes nothing.
    """
    sent: list[int] = []
    for message_id in ids:
        async with database.transaction() as (connection, _):
            cursor = await connection.execute(
                "delete from parked_messages where id = %s returning consumer, subject, body",
                [message_id],
            )
            row: Any = await cursor.fetchone()
            if row is None:
                continue
            consumer, subject, body = row
            stream = next(found.stream for found in CONSUMERS if found.name == consumer)
            await bus.publish(stream, subject, bytes(body), new_uuid())
            sent.append(message_id)
    return sent


async def skip(database: Database, ids: Sequence[int]) -> list[int]:
    """Drop messages for ever; give the ids of those that were there."""
    rows = await database.rows(
        "delete from parked_messages where id = any(%s) returning id", [list(ids)]
    )
    return [row["id"] for row in rows]

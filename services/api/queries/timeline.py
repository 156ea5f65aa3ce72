"""An execution's events, as the log has them."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from libs.events.base import Event, stream_of
from libs.events.envelope import Meta, decode_event
from libs.events.executions import CATEGORY
from services.api.queries.pages import Reads

_META = msgspec.json.Decoder(Meta)


class Happened(NamedTuple):
    """An event, with its place in the stream and what stood around it."""

    event: Event
    type: str
    version: int
    meta: Meta


async def execution_events(database: Reads, account_id: str, execution_id: str) -> list[Happened]:
    """Read an execution's stream, oldest first."""
    rows = await database.rows(
        "select type, schema_version, version, data::text as data, meta::text as meta"
        "  from api_events where stream_id = %(stream)s and account_id = %(account)s"
        " order by version",
        {"stream": stream_of(CATEGORY, execution_id), "account": account_id},
    )
    return [
        Happened(
            event=decode_event(row["type"], row["schema_version"], row["data"]),
            type=row["type"],
            version=row["version"],
            meta=_META.decode(row["meta"]),
        )
        for row in rows
    ]

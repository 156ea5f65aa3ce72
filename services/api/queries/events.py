"""An account's events in commit order, out of the log (contract §16, stream)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from libs.events.base import Event
from libs.events.envelope import Meta, decode_event
from services.api.queries.pages import Reads

SCANNED = 2_000
"""How many events of the log, of whichever account, one look goes over at most."""

_META = msgspec.json.Decoder(Meta)
_POSITION = re.compile(r"(\d{1,18})-(\d{1,18})", re.ASCII)


class Position(NamedTuple):
    """A place in commit order, which is (transaction id, position), as the relay reads the log.

    The position alone is not enough: it is given out when a row is written, and a transaction that
    wrote earlier may commit later.
    """

    xid: int
    pos: int

    @property
    def text(self) -> str:
        """The position as it travels."""
        return f"{self.xid}-{self.pos}"


class Told(NamedTuple):
    """An event with what stood around it; `cue_id` and `execution_id` are those it is about."""

    position: Position
    event: Event
    type: str
    version: int
    meta: Meta
    cue_id: str | None
    execution_id: str | None


class Look(NamedTuple):
    """What one look has found. `position` is where the next one begins.

    `whole` says that everything up to `horizon` was seen: what is below it is committed for good,
    and nothing will appear there any more.
    """

    events: list[Told]
    position: Position
    whole: bool
    horizon: Position


class NoPosition(ValueError):
    """The text is no position."""


def position_of(text: str) -> Position:
    """Read a position as it was written. Raises NoPosition."""
    form = _POSITION.fullmatch(text)
    if form is None:
        raise NoPosition("must be an id that this stream has sent")
    return Position(int(form[1]), int(form[2]))


async def horizon(database: Reads) -> Position:
    """Give the position below which nothing will appear any more."""
    rows = await database.rows(_HORIZON, {})
    return Position(int(rows[0]["xid"]), 0)


async def events_after(database: Reads, account_id: str, position: Position) -> Look:
    """Read an account's events behind a position, as far as one look goes."""
    rows = await database.rows(
        _AFTER,
        {
            "account": account_id,
            "xid": str(position.xid),
            "pos": position.pos,
            "limit": SCANNED,
        },
    )
    first = rows[0]
    end = Position(int(first["horizon"]), 0)
    whole = first["scanned"] < SCANNED
    return Look(
        events=[_told(row) for row in rows if row["type"] is not None],
        position=max(position, end) if whole else _position(first["last_xid"], first["last_pos"]),
        whole=whole,
        horizon=end,
    )


async def accounts_after(database: Reads, position: Position) -> tuple[set[str], Position]:
    """Name the accounts that have events behind a position, and give where to look on from."""
    rows = await database.rows(
        _ACCOUNTS_AFTER, {"xid": str(position.xid), "pos": position.pos, "limit": 10 * SCANNED}
    )
    found = {str(row["account_id"]) for row in rows if row["account_id"] is not None}
    if rows[0]["scanned"] < 10 * SCANNED:
        return found, Position(int(rows[0]["horizon"]), 0)
    return found, _position(rows[0]["last_xid"], rows[0]["last_pos"])


def _told(row: Any) -> Told:
    return Told(
        position=_position(row["xid"], row["pos"]),
        event=decode_event(row["type"], row["schema_version"], row["data"]),
        type=row["type"],
        version=row["version"],
        meta=_META.decode(row["meta"]),
        cue_id=row["cue_id"],
        execution_id=row["execution_id"],
    )


def _position(xid: str, pos: int) -> Position:
    return Position(int(xid), pos)


_HORIZON = "select log_horizon()::text as xid"

# What a look goes over is bounded, whoever the events belong to; only own ones are brought.
_SEEN = """
with seen as materialized (
  select xid, pos, stream_id, version, type, schema_version, account_id, data, meta
    from api_events
   where (xid, pos) > (%(xid)s::xid8, %(pos)s) and xid < (select log_horizon())
   order by xid, pos limit %(limit)s
), bounds as (
  select (select count(*) from seen) as scanned,
         log_horizon()::text as horizon,
         last.xid::text as last_xid, last.pos as last_pos
    from (select 1) one
    left join (select xid, pos from seen order by xid desc, pos desc limit 1) last on true
)
"""
_OWN = """
select bounds.*, own.xid::text, own.pos, own.type, own.schema_version, own.version,
       own.data::text as data, own.meta::text as meta,
       coalesce(own.cue, x.cue_id, a.cue_id) as cue_id,
       coalesce(x.id, a.execution_id)::text as execution_id
  from bounds
  left join (
    select seen.*,
           case when stream_id like 'cue-%%' then substr(stream_id, 5) end as cue,
           case when stream_id like 'execution-%%' then substr(stream_id, 11)::uuid end
             as execution,
           case when stream_id like 'alert-%%' then substr(stream_id, 7)::uuid end as alert
      from seen where account_id = %(account)s
  ) own on true
  left join execution_states x on x.id = own.execution
  left join api_alerts a on a.id = own.alert
 order by own.xid, own.pos
"""
_AFTER = _SEEN + _OWN
_ACCOUNTS = """
select distinct bounds.*, seen.account_id::text from bounds left join seen on true
"""
_ACCOUNTS_AFTER = _SEEN + _ACCOUNTS

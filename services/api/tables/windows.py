"""Limits beside the general one (contract §10 "Further limits"): sliding, exact across replicas.

Whose window it is rests hashed, as it may be an address or a sign-in's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from libs.runtime.postgres import Connection
from services.api.rules.tokens import token_hash


class Limit(NamedTuple):
    """At most `most` in any `seconds`."""

    name: str
    most: int
    seconds: int


class Counts(Protocol):
    """What is asked of the database here."""

    async def rows(self, sql: str, params: Mapping[str, Any]) -> list[Any]:
        """Give the rows as dictionaries."""
        ...


KEYS_MINTED = Limit("mint", 10, 3_600)
TICKETS = Limit("support", 5, 3_600)
POLLS = Limit("device-poll", 30, 60)
MAILS_TO_ADDRESS = Limit("device-mail-to", 3, 3_600)
MAILS_FROM_IP = Limit("device-mail-from", 10, 3_600)
ECHOES = Limit("echo", 10, 3_600)


async def count(database: Counts, limit: Limit, subject: str) -> float | None:
    """Count one more for `subject` if there is room; else give the seconds until there is.

    What is refused is not counted.
    """
    rows = await database.rows(_COUNT, _parameters(limit, subject))
    return None if rows[0]["counted"] else float(rows[0]["wait"])


async def count_with(connection: Connection, limit: Limit, subject: str) -> float | None:
    """Count as `count`, in a transaction: what it does not commit was not counted."""
    cursor = await connection.execute(_COUNT, _parameters(limit, subject))
    row = await cursor.fetchone()
    assert row is not None
    return None if row[0] else float(row[1])


def _parameters(limit: Limit, subject: str) -> dict[str, Any]:
    return {
        "subject": f"{limit.name}:{token_hash(subject).hex()}",
        "most": limit.most,
        "seconds": limit.seconds,
    }


_COUNT = """
with counted as (
  insert into rate_windows as w (subject, hits) values (%(subject)s, array[now()])
  on conflict (subject) do update
     set hits = array(
           select h from unnest(w.hits) h
            where h > now() - %(seconds)s * interval '1 second') || now()
   where (select count(*) from unnest(w.hits) h
           where h > now() - %(seconds)s * interval '1 second') < %(most)s
  returning 1
)
select exists (select from counted) as counted,
       extract(epoch from coalesce(
         (select min(h) from rate_windows w, unnest(w.hits) h
           where w.subject = %(subject)s and h > now() - %(seconds)s * interval '1 second'),
         now()) + %(seconds)s * interval '1 second' - now())::float8 as wait
"""

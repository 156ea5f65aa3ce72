"""Where sealed secrets lie, and their sealing anew with the keyring's current key.

Each batch is a transaction of its own and looks for what an older key has sealed: so a run that
was cut off is gone on with by the next one, and any number may run at once.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from libs.runtime.crypto import ID_BYTES, CannotOpen, Keyring
from libs.runtime.postgres import Connection, Database

BATCH = 500


class Place(NamedTuple):
    """A column of sealed values, sealed for `purpose`; `key` names the rows within the table."""

    table: str
    key: str
    column: str
    purpose: str


PLACES = (
    Place("identities", "account_id", "webhook_secret_sealed", "webhook-secret"),
    Place("identities", "account_id", "previous_webhook_secret_sealed", "webhook-secret"),
    Place("api_keys", "id", "sealed", "api-key"),
    Place("alert_webhook_secrets", "account_id", "secret_sealed", "alert-webhook-secret"),
    # A blob keeps the name that it got from how it was sealed first: events refer to it.
    Place("blobs", "sha256", "body", "callback-headers"),
    Place("command_results", "command_id", "reply", "answer"),
)
_KEPT_ANSWER = "decode(reply -> 'answer' ->> 'sealed', 'base64')"


class Progress(NamedTuple):
    """How far a rotation is: sealed anew, and impossible to open with any key of the keyring."""

    place: str
    resealed: int
    unopened: int


async def reseal_all(database: Database, keyring: Keyring) -> AsyncIterator[Progress]:
    """Seal anew all that an older key has sealed, a batch at a time; tell each."""
    for place in PLACES:
        after: tuple[Any, Any] | None = None
        while True:
            async with database.transaction() as (connection, _):
                rows = await _batch(connection, place, keyring, after)
                resealed = 0
                for account_id, key, sealed in rows:
                    try:
                        fresh = keyring.reseal(account_id, place.purpose, bytes(sealed))
                    except CannotOpen:
                        continue
                    await _put(connection, place, account_id, key, fresh)
                    resealed += 1
            if not rows:
                break
            after = rows[-1][:2]
            yield Progress(f"{place.table}.{place.column}", resealed, len(rows) - resealed)


async def left_over(database: Database, keyring: Keyring) -> dict[str, int]:
    """Count what the current key has not sealed, by its place; only places that have some."""
    counts = {}
    for place in PLACES:
        rows = await database.rows(
            f"select count(*) as n from {place.table} where {_is_old(place)}",  # noqa: S608
            _ids(keyring, place),
        )
        if rows[0]["n"]:
            counts[f"{place.table}.{place.column}"] = rows[0]["n"]
    return counts


def _is_old(place: Place) -> str:
    sealed = _KEPT_ANSWER if place.column == "reply" else place.column
    begin = f"substring({sealed} from 1 for {ID_BYTES})"
    if place.table == "blobs":  # most blobs are not sealed at all
        return f"{begin} = any(%(older)s)"
    return f"{sealed} is not null and {begin} <> %(current)s"


def _ids(keyring: Keyring, place: Place) -> dict[str, Any]:
    return (
        {"older": keyring.older_ids} if place.table == "blobs" else {"current": keyring.current_id}
    )


async def _batch(
    connection: Connection, place: Place, keyring: Keyring, after: tuple[Any, Any] | None
) -> list[tuple[str, Any, bytes]]:
    sealed = _KEPT_ANSWER if place.column == "reply" else place.column
    beyond = f"and (account_id, {place.key}) > (%(account)s::uuid, %(key)s)" if after else ""
    cursor = await connection.execute(
        f"select account_id::text as account, {place.key} as key, {sealed} from {place.table}"  # noqa: S608
        f" where {_is_old(place)} {beyond}"
        f" order by account_id, {place.key} limit {BATCH} for update",
        {**_ids(keyring, place), "account": after and after[0], "key": after and after[1]},
    )
    return await cursor.fetchall()


async def _put(
    connection: Connection, place: Place, account_id: str, key: Any, sealed: bytes
) -> None:
    value, given = "%s", sealed
    if place.column == "reply":
        value = "jsonb_set(reply::jsonb, '{answer,sealed}', to_jsonb(%s::text))::json"
        given = base64.b64encode(sealed)
    await connection.execute(
        f"update {place.table} set {place.column} = {value}"  # noqa: S608
        f" where account_id = %s and {place.key} = %s",
        [given.decode() if place.column == "reply" else given, account_id, key],
    )

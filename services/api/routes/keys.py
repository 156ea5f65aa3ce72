"""API keys: list, mint, rename, revoke, replace, show again (contract §2 nr 20-25)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import structlog
from pydantic import AliasChoices, Field
from starlette.responses import Response

from libs.events.accounts import ApiKeyRevoked, ApiKeyShown
from libs.runtime.crypto import CannotOpen
from services.api.adapters.mail import Mail
from services.api.errors import ApiError
from services.api.queries.keys import KeyRow, find_default_key, list_keys
from services.api.routes.call import Call
from services.api.routes.deciding import Decided, decide
from services.api.routes.guards import confirmed, within
from services.api.routes.issuing import API_KEY, DEFAULT_LABEL, issue_key
from services.api.routes.operation import Operations, answer
from services.api.routes.ports import Unit
from services.api.routes.shapes import NoBody, NoFields, NoQuery, Wish, trimmed
from services.api.routes.wire import Timestamp, Wire
from services.api.rules.ids import is_uuid
from services.api.rules.timestamps import wire_time, wire_time_or_none
from services.api.tables.identities import find_email
from services.api.tables.keys import (
    StoredKey,
    active_keys,
    find_key,
    rename_key,
    revoke_key,
)
from services.api.tables.windows import KEYS_MINTED

log = structlog.get_logger()

keys = Operations("Account")


class LabelBody(Wish):
    """What a key is called; `name` is an older name of `label`."""

    label: Annotated[str, trimmed(100), Field(validation_alias=AliasChoices("label", "name"))]


class KeyWire(Wire):
    """What may be told of a key."""

    id: str
    prefix: str
    label: str
    is_default: bool
    status: str
    created_by: str
    created_at: Timestamp
    last_used_at: Timestamp | None
    revoked_at: Timestamp | None


class KeyListWire(Wire):
    """The account's keys, newest first."""

    keys: list[KeyWire]


class MintedKeyWire(KeyWire):
    """A new key, shown this once."""

    api_key: str


class RevokedKeyWire(Wire):
    """When a key was ended."""

    id: str
    revoked_at: Timestamp


class ShownKeyWire(Wire):
    """The account's default key."""

    api_key: str
    key_prefix: str


class RegeneratedKeyWire(Wire):
    """The key in place of the one before."""

    api_key: str
    previous_key_revoked: bool


@keys.add(
    "POST",
    "/v1/auth/key/regenerate",
    body=NoFields,
    query=NoQuery,
    answers={200: RegeneratedKeyWire},
    codes=("confirmation_required",),
)
async def regenerate_key(call: Call[NoFields, NoQuery]) -> Response:
    """Replace the key that was used, or the default one; the old key ends at once."""
    confirmed(call)

    async def regenerate(unit: Unit) -> Decided:
        old = await _replaced(call, unit)
        label, is_default = (old.label, old.is_default) if old else (DEFAULT_LABEL, True)
        events: list[Any] = []
        if old is not None:
            await revoke_key(unit.connection, old.id, "rotated")
            events.append(ApiKeyRevoked(at=unit.now, key_id=old.id, reason="rotated"))
        issued = await issue_key(
            call.ports, unit, call.account_id, label, "user", is_default=is_default
        )
        facts = {
            "prefix": (old or issued.stored).prefix,
            "base_url": call.ports.rules.base_url,
        }
        to = await find_email(unit.connection, call.account_id)
        assert to is not None, "the account is locked"
        return Decided(
            RegeneratedKeyWire(api_key=issued.api_key, previous_key_revoked=old is not None),
            events=[*events, issued.event],
            mails=[Mail(to, "key_regenerated", facts)],
        )

    return await decide(call, regenerate)


@keys.add(
    "GET",
    "/v1/auth/key",
    body=NoBody,
    query=NoQuery,
    answers={200: ShownKeyWire},
    codes=("plaintext_unavailable",),
)
async def reveal_key(call: Call[NoBody, NoQuery]) -> Response:
    """Get the account's default key in full, whatever authenticated the call."""
    ports = call.ports
    found = await find_default_key(ports.store, call.account_id)
    if not ports.rules.reveal_keys or found is None or found.sealed is None:
        raise _not_kept()
    try:
        api_key = ports.keyring.open(call.account_id, API_KEY, found.sealed).decode()
    except CannotOpen as error:
        raise _not_kept() from error

    async def show(unit: Unit) -> Decided:
        shown = ShownKeyWire(api_key=api_key, key_prefix=found.prefix)
        return Decided(shown, events=[ApiKeyShown(at=unit.now, key_id=found.id)])

    response = await decide(call, show)
    log.info("the default key was shown", account_id=call.account_id, actor=call.meta().actor)
    return response


@keys.add("GET", "/v1/auth/keys", body=NoBody, query=NoQuery, answers={200: KeyListWire})
async def get_keys(call: Call[NoBody, NoQuery]) -> Response:
    """List the account's keys, newest first; ended ones for thirty days."""
    rows = await list_keys(call.ports.store, call.account_id)
    return answer(KeyListWire(keys=[KeyWire(**_fields(row)) for row in rows]))


@keys.add("POST", "/v1/auth/keys", body=LabelBody, query=NoQuery, answers={201: MintedKeyWire})
async def mint_key(call: Call[LabelBody, NoQuery]) -> Response:
    """Make another key; it is shown this once."""

    async def mint(unit: Unit) -> Decided:
        await within(call, KEYS_MINTED, call.account_id, unit)
        issued = await issue_key(
            call.ports, unit, call.account_id, call.body.label, "user", is_default=False
        )
        minted = MintedKeyWire(**_fields(issued.stored), api_key=issued.api_key)
        return Decided(minted, status=201, events=[issued.event])

    return await decide(call, mint)


@keys.add(
    "PATCH",
    "/v1/auth/keys/{key_id}",
    body=LabelBody,
    query=NoQuery,
    answers={200: KeyWire},
    codes=("not_found",),
)
async def update_key(call: Call[LabelBody, NoQuery]) -> Response:
    """Rename a key, also one that was ended."""

    async def rename(unit: Unit) -> Decided:
        key = await _key(call, unit)
        await rename_key(unit.connection, key.id, call.body.label)
        return Decided(KeyWire(**_fields(key._replace(label=call.body.label))))

    return await decide(call, rename)


@keys.add(
    "DELETE",
    "/v1/auth/keys/{key_id}",
    body=NoBody,
    query=NoQuery,
    answers={200: RevokedKeyWire},
    codes=("not_found", "last_key_protected", "confirmation_required"),
)
async def delete_key(call: Call[NoBody, NoQuery]) -> Response:
    """End a key, at once and for good; the account's last one stays."""

    async def revoke(unit: Unit) -> Decided:
        key = await _key(call, unit)
        confirmed(call)
        if key.revoked_at is not None:
            return Decided(_revoked(key.id, key.revoked_at))
        if len(await active_keys(unit.connection, call.account_id)) == 1:
            message = "this is the account's only active key; make another one first"
            raise ApiError("last_key_protected", message)
        revoked_at = await revoke_key(unit.connection, key.id, "revoked")
        ended = ApiKeyRevoked(at=unit.now, key_id=key.id)
        return Decided(_revoked(key.id, revoked_at), events=[ended])

    return await decide(call, revoke)


async def _replaced(call: Call[Any, Any], unit: Unit) -> StoredKey | None:
    """The key that a regeneration ends; None for a session whose account has no default key."""
    active = await active_keys(unit.connection, call.account_id)
    if call.caller.key_id is None:
        return next((key for key in active if key.is_default), None)
    used = next((key for key in active if key.id == call.caller.key_id), None)
    if used is None:
        raise ApiError("key_rotated", "this key has been replaced in the meantime")
    return used


async def _key(call: Call[Any, Any], unit: Unit) -> StoredKey:
    key_id = call.path("key_id")
    key = await find_key(unit.connection, call.account_id, key_id) if is_uuid(key_id) else None
    if key is None:
        raise ApiError("not_found", "no key of this account has this id")
    return key


def _fields(key: KeyRow | StoredKey) -> dict[str, Any]:
    return {
        **key._asdict(),
        "created_at": wire_time(key.created_at),
        "last_used_at": wire_time_or_none(key.last_used_at),
        "revoked_at": wire_time_or_none(key.revoked_at),
    }


def _revoked(key_id: str, at: datetime) -> RevokedKeyWire:
    return RevokedKeyWire(id=key_id, revoked_at=wire_time(at))


def _not_kept() -> ApiError:
    return ApiError("plaintext_unavailable", "the default key cannot be shown; make a new one")

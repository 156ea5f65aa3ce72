"""Making what opens an account: its first key and secret, and every further key."""

from __future__ import annotations

from typing import NamedTuple

from libs.events.accounts import CATEGORY, AccountRegistered, ApiKeyIssued
from libs.events.base import Event
from libs.events.envelope import Meta
from libs.runtime.ids import new_api_key, new_uuid, new_webhook_secret
from services.api.routes.ports import Ports, Unit
from services.api.rules.tokens import key_hash, key_prefix
from services.api.tables.identities import NewIdentity, insert_identity
from services.api.tables.keys import NewKey, StoredKey, insert_key

WEBHOOK_SECRET = "webhook-secret"  # noqa: S105 - what it is sealed for, not the secret
ALERT_SECRET = "alert-webhook-secret"  # noqa: S105 - what it is sealed for, not the secret
API_KEY = "api-key"
DEFAULT_LABEL = "default"


class Issued(NamedTuple):
    """A new key: the only time that it is known whole."""

    api_key: str
    stored: StoredKey
    event: Event


async def issue_key(
    ports: Ports, unit: Unit, account_id: str, label: str, created_by: str, *, is_default: bool
) -> Issued:
    """Make and store a key; the default one also sealed, so that it can be shown again."""
    api_key = new_api_key()
    sealed = ports.keyring.seal(account_id, API_KEY, api_key.encode()) if is_default else None
    key = NewKey(
        id=new_uuid(),
        account_id=account_id,
        hash=key_hash(api_key),
        prefix=key_prefix(api_key),
        label=label,
        is_default=is_default,
        created_by=created_by,
        sealed=sealed,
    )
    stored = await insert_key(unit.connection, key)
    event = ApiKeyIssued(
        at=unit.now, key_id=key.id, label=label, created_by=created_by, is_default=is_default
    )
    return Issued(api_key, stored, event)


class Opened(NamedTuple):
    """A new account and its default key."""

    account_id: str
    api_key: str


async def open_account(
    ports: Ports, unit: Unit, email: str, created_by: str, meta: Meta
) -> Opened | None:
    """Open an account with its default key and its webhook secret; None when the address is taken.

    After None nothing has been changed.
    """
    account_id = new_uuid()
    secret = ports.keyring.seal(account_id, WEBHOOK_SECRET, new_webhook_secret().encode())
    if not await insert_identity(unit.connection, NewIdentity(account_id, email, secret)):
        return None
    issued = await issue_key(ports, unit, account_id, DEFAULT_LABEL, created_by, is_default=True)
    opened = AccountRegistered(at=unit.now, account_id=account_id, plan=ports.rules.default_plan)
    unit.record(CATEGORY, account_id, account_id, [opened, issued.event], meta)
    return Opened(account_id, issued.api_key)

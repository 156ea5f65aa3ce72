"""An account is exported without its secrets, and erased without a trace but the tombstone."""

from __future__ import annotations

import json

import pytest

from libs.events.log import PostgresLog
from libs.events.rebuild import verify
from libs.runtime.crypto import Keyring
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database
from services.admin.tables.everything import erase_account, export_account
from tests.services.admin.tenant import SECRETS, settle

pytestmark = pytest.mark.integration

KEYRING = Keyring([b"k" * 32])
# What is no account's: the machinery, and the tombstone itself.
TOMBSTONE = "erased_accounts"


async def texts(database: Database) -> dict[str, str]:
    """Give every row of every table as text, by table."""
    tables = await database.rows(
        "select relname::text as name from pg_class where relkind in ('r', 'p')"
        " and relnamespace = 'public'::regnamespace and not relispartition"
    )
    found = {}
    for table in tables:
        rows = await database.rows(f"select t::text as row from {table['name']} t")
        found[table["name"]] = "\n".join(row["row"] for row in rows)
    return found


async def test_an_export_has_everything_but_secrets(
    database: Database, postgres_log: PostgresLog
) -> None:
    tenant = await settle(postgres_log, KEYRING)
    other = await settle(postgres_log, KEYRING)
    lines = [line async for line in export_account(database, KEYRING, tenant.id)]
    dump = json.dumps(lines)
    tables = {line["table"] for line in lines}
    assert {"accounts", "identities", "events", "cues", "executions", "blobs"} <= tables
    assert {"support_tickets", "notifications", "api_keys", "usage"} <= tables
    types = {line["row"]["type"] for line in lines if line["table"] == "events"}
    assert types == {"AccountRegistered", "CueCreated", "ExecutionScheduled"}
    assert "a payload that is no secret" in dump
    assert tenant.email in dump
    for secret in SECRETS:
        assert secret not in dump
    for line in lines:
        assert not [name for name in line["row"] if "sealed" in name or name == "hash"]
    assert other.id not in dump
    assert other.email not in dump


async def test_nothing_is_left_of_an_erased_account(
    database: Database, postgres_log: PostgresLog
) -> None:
    tenant = await settle(postgres_log, KEYRING)
    other = await settle(postgres_log, KEYRING)
    kept = {table: text.count(other.id) for table, text in (await texts(database)).items()}
    erased = await erase_account(database, tenant.id, "asked for by mail")
    assert erased is not None
    assert erased.rows["events"] == 3
    after = await texts(database)
    for table, text in after.items():
        assert tenant.email not in text
        assert tenant.cue_id not in text
        if table != TOMBSTONE:
            assert tenant.id not in text, table
    assert tenant.id in after[TOMBSTONE]
    assert "asked for by mail" in after[TOMBSTONE]
    assert {table: text.count(other.id) for table, text in after.items()} == kept
    assert await verify(database) == []


async def test_an_account_is_erased_once(database: Database, postgres_log: PostgresLog) -> None:
    tenant = await settle(postgres_log, KEYRING)
    assert await erase_account(database, tenant.id, "asked for") is not None
    assert await erase_account(database, tenant.id, "asked for") is None
    assert await erase_account(database, new_uuid(), "never there") is None

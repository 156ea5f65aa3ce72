"""An account is exported without its secrets, and erased without a trace but the tombstone."""

from __future__ import annotations

import asyncio
import json
from functools import partial

import pytest

from libs.events.blobs import blob_of
from libs.events.bus import Refused
from libs.events.cues import (
    CreateCue,
    FireCue,
)
from libs.events.envelope import Meta
from libs.events.execution_events import AttemptStarted
from libs.events.log import PostgresLog
from libs.events.rebuild import verify
from libs.events.upkeep import Upkeep
from libs.runtime.clock import ServerClock
from libs.runtime.crypto import Keyring
from libs.runtime.health import Health
from libs.runtime.ids import new_cue_id, new_uuid
from libs.runtime.postgres import Database
from services.admin.tables import erasing
from services.admin.tables.erasing import erase_account
from services.admin.tables.everything import export_account
from services.dispatcher.adapters.webhook import Attempt, Sent
from services.dispatcher.decider.attempts import Acknowledged
from services.dispatcher.handlers.results import ResultDesk
from tests.e2e.waiting import eventually
from tests.services.admin.tenant import SECRETS, settle
from tests.services.api.direct import DirectBus
from tests.services.scheduler.examples import settings

pytestmark = pytest.mark.integration

ANSWER = blob_of(b"the receiver's answer")
ANSWERED = Sent(result=Acknowledged(http_status=200, response_ref=ANSWER.sha256), blobs=(ANSWER,))
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


async def is_waited_for(database: Database) -> bool | None:
    rows = await database.rows(
        "select 1 as one from pg_stat_activity where wait_event_type = 'Lock'"
        " and datname = current_database() and query like 'delete from executions%%'"
    )
    return bool(rows) or None


async def has_begun(database: Database, account_id: str) -> bool | None:
    return await erasing.find_begun(database, account_id) or None


async def test_what_is_being_delivered_finishes_and_is_erased(
    database: Database, postgres_log: PostgresLog
) -> None:
    tenant = await settle(postgres_log, KEYRING)
    rows = await database.rows("select id::text from executions where account_id = %s", [tenant.id])
    async with postgres_log.transaction() as unit:
        await unit.lock("execution", [rows[0]["id"]])
        erasing_ = asyncio.create_task(erase_account(database, tenant.id, "asked for"))
        await eventually(partial(is_waited_for, database), "the erasure waits for the attempt")
        meta = Meta(correlation_id="test", actor="dispatcher")
        begun = AttemptStarted(at=unit.now, epoch=1, lease_until=unit.now)
        unit.record("execution", rows[0]["id"], tenant.id, [begun], meta)
        attempt = Attempt(
            facts=unit.state("execution", rows[0]["id"]).facts,
            epoch=1,
            settings=settings(),
            payload={},
            headers={},
            secrets=(),
            clock=ServerClock.showing(unit.now),
        )
    assert await erasing_ is not None
    # Its result comes when all is gone: it is discarded, and what it left behind is swept away.
    await ResultDesk(postgres_log).record([(attempt, ANSWERED)])
    left = await texts(database)
    assert [name for name, text in left.items() if tenant.id in text] == ["blobs", TOMBSTONE]
    await Upkeep(database, Health()).run_once()
    left = await texts(database)
    assert [name for name, text in left.items() if tenant.id in text] == [TOMBSTONE]
    assert await verify(database) == []


async def test_commands_under_way_make_nothing_for_an_erased_account(
    database: Database, postgres_log: PostgresLog
) -> None:
    tenant = await settle(postgres_log, KEYRING)
    assert await erase_account(database, tenant.id, "asked for") is not None
    bus = DirectBus(postgres_log, KEYRING)
    meta = Meta(correlation_id="test", actor="test")
    for command in (
        CreateCue(account_id=tenant.id, cue_id=new_cue_id(), settings=settings()),
        FireCue(account_id=tenant.id, cue_id=tenant.cue_id, execution_id=new_uuid()),
    ):
        with pytest.raises(Refused):
            await bus.ask_with_meta(command, meta=meta)
    kept = {name for name, text in (await texts(database)).items() if tenant.id in text}
    assert kept <= {TOMBSTONE, "command_results"}


async def test_an_erasure_that_was_cut_off_is_gone_on_with(
    database: Database, postgres_log: PostgresLog
) -> None:
    tenant = await settle(postgres_log, KEYRING)
    erasing_ = asyncio.create_task(erase_account(database, tenant.id, "asked for"))
    async with postgres_log.transaction() as unit:
        await unit.lock("cue", [tenant.cue_id])
        await eventually(partial(has_begun, database, tenant.id), "it has begun")
        erasing_.cancel()
        await asyncio.gather(erasing_, return_exceptions=True)
    assert await erasing.find_begun(database, tenant.id)
    erased = await erase_account(database, tenant.id, "asked for")
    assert erased is not None
    assert erased.rows["events"] == 3
    left = await texts(database)
    assert [name for name, text in left.items() if tenant.id in text] == [TOMBSTONE]
    [tombstone] = await database.rows(
        "select reason, finished_at, rows_erased from erased_accounts where id = %s", [tenant.id]
    )
    assert tombstone["finished_at"] is not None
    assert tombstone["rows_erased"] > sum(erased.rows.values())


async def test_a_large_account_is_erased_in_chunks(
    database: Database, postgres_log: PostgresLog
) -> None:
    tenant = await settle(postgres_log, KEYRING)
    most = 2 * erasing.CHUNK + 1
    await database.execute(
        "insert into blobs (account_id, sha256, body)"
        " select %s, sha256(n::text::bytea), '' from generate_series(1, %s) n",
        [tenant.id, most],
    )
    erased = await erase_account(database, tenant.id, "asked for")
    assert erased is not None
    assert erased.rows["blobs"] == most + 2

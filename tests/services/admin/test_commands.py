"""`cueapi-admin`, run as operators run it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.events.log import PostgresLog
from libs.runtime.crypto import Keyring
from libs.runtime.postgres import Database
from tests.libs.events.old_months import live
from tests.libs.runtime.mail.sink import Sink, listening
from tests.services.admin.command import SECRET, Admin
from tests.services.admin.tenant import Tenant, settle

pytestmark = pytest.mark.integration

OLD_KEYRING = Keyring.derived_from(SECRET)
NEW_KEY = "bmV3IGtleSBvZiAzMiBieXRlcyBpbiBhbGwuLi4uLi4="


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with listening() as opened:
        yield opened


@pytest.fixture
async def admin(postgres_url: str, sink: Sink) -> Admin:
    return Admin(postgres_url, CUEAPI_SMTP_URL=f"smtp://127.0.0.1:{sink.port}")


@pytest.fixture
async def tenant(postgres_log: PostgresLog) -> Tenant:
    return await settle(postgres_log, OLD_KEYRING)


async def test_accounts_are_listed_and_shown(admin: Admin, tenant: Tenant) -> None:
    listed = await admin.rows("accounts", "list", "--search", tenant.email)
    assert [row["id"] for row in listed] == [tenant.id]
    for who in (tenant.id, tenant.email):
        [shown] = await admin.rows("accounts", "show", who)
        assert (shown["plan"], shown["email"]) == ("scale", tenant.email)
    table = await admin("accounts", "list")
    assert tenant.email in table.out


async def test_a_plan_is_changed_by_an_event(
    admin: Admin, tenant: Tenant, database: Database
) -> None:
    for changed in (True, False):
        [told] = await admin.rows("accounts", "set-plan", tenant.email, "pro")
        assert (told["plan"], told["changed"]) == ("pro", changed)
    rows = await database.rows(
        "select data from events where account_id = %s and type = 'PlanChanged'", [tenant.id]
    )
    assert [row["data"]["plan"] for row in rows] == ["pro"]
    refused = await admin("accounts", "set-plan", tenant.email, "gold")
    assert refused.code == 2
    assert "free, pro, scale" in refused.err


async def test_an_account_gets_limits_of_its_own(
    admin: Admin, tenant: Tenant, database: Database
) -> None:
    given = ("accounts", "set-limits", tenant.email)
    [told] = await admin.rows(*given, "--executions", "7", "--requests", "9")
    assert (told["active_cues"], told["executions_per_month"]) == (500, 7)
    [told] = await admin.rows(*given, "--cues", "3")
    allowed = (told["active_cues"], told["executions_per_month"], told["requests_per_minute"])
    assert allowed == (3, 7, 9)
    [told] = await admin.rows(*given, "--reset", "--requests", "11")
    assert (told["executions_per_month"], told["requests_per_minute"]) == (50_000, 11)
    [shown] = await admin.rows("accounts", "show", tenant.id)
    assert shown["limits"] == {"requests_per_minute": 11}
    await admin.rows(*given, "--reset")
    rows = await database.rows(
        "select data, meta from events where account_id = %s and type = 'LimitsChanged'"
        " order by version",
        [tenant.id],
    )
    assert [row["data"].get("limits") for row in rows] == [
        {"executions_per_month": 7, "requests_per_minute": 9},
        {"active_cues": 3, "executions_per_month": 7, "requests_per_minute": 9},
        {"requests_per_minute": 11},
        None,
    ]
    assert {row["meta"]["actor"] for row in rows} == {"operator"}
    assert (await admin(*given)).code == 2
    assert (await admin("log", "verify")).code == 0


@pytest.mark.parametrize(
    ("arguments", "what_to_do"),
    [
        (("accounts", "show", "nobody@example.com"), "accounts list --search"),
        (("tickets", "show", "9999999"), "tickets list"),
        (("tickets", "reply", "9999999", "Hello"), "tickets list"),
    ],
)
async def test_errors_say_what_to_do(
    admin: Admin, arguments: tuple[str, ...], what_to_do: str
) -> None:
    ended = await admin(*arguments)
    assert ended.code == 1
    assert ended.err.startswith("error: ")
    assert what_to_do in ended.err
    assert "Traceback" not in ended.err


async def test_a_database_that_is_away_is_told() -> None:
    ended = await Admin("postgresql://127.0.0.1:1/nowhere")("accounts", "list")
    assert ended.code == 1
    assert "DATABASE_URL" in ended.err
    assert "Traceback" not in ended.err


async def test_a_ticket_is_answered_by_mail_and_closed(
    admin: Admin, tenant: Tenant, sink: Sink
) -> None:
    number = str(tenant.ticket)
    waiting = await admin.rows("tickets", "list")
    assert tenant.ticket in [row["id"] for row in waiting]
    [told] = await admin.rows("tickets", "reply", number, "Try it again, please.")
    assert (told["status"], told["mailed_to"]) == ("in_progress", tenant.email)
    [closed] = await admin.rows("tickets", "close", number)
    assert closed["status"] == "closed"
    [shown] = await admin.rows("tickets", "show", number)
    assert shown["status"] == "closed"
    assert [reply["message"] for reply in shown["replies"]] == ["Try it again, please."]
    first, second = sink.messages
    assert first["To"] == tenant.email
    assert first["Subject"] == f"Re: It does not work (ticket {number})"
    assert "Try it again, please." in first.as_string()
    assert "closed" in second.as_string()


async def test_an_answer_that_cannot_be_mailed_is_not_kept(
    postgres_url: str, tenant: Tenant
) -> None:
    away = Admin(postgres_url, CUEAPI_SMTP_URL="smtp://127.0.0.1:1")
    ended = await away("tickets", "reply", str(tenant.ticket), "Hello")
    assert ended.code == 1
    assert "nothing was kept" in ended.err
    [shown] = await away.rows("tickets", "show", str(tenant.ticket))
    assert (shown["status"], shown["replies"]) == ("open", [])


async def test_parked_messages_are_listed_and_skipped(admin: Admin, database: Database) -> None:
    [row] = await database.rows(
        "insert into parked_messages (consumer, subject, body, error)"
        " values ('scheduler', 'commands.scheduler.create_cue', 'x', 'it broke') returning id"
    )
    [listed] = await admin.rows("parked", "list")
    assert (listed["id"], listed["error"], listed["body"]) == (row["id"], "it broke", "x")
    ended = await admin("parked", "skip", str(row["id"]), "9999999", "--json")
    assert ended.rows == [{"dropped": [row["id"]]}]
    assert "9999999" in ended.err
    assert await admin.rows("parked", "list") == []


async def test_rows_are_verified_and_rebuilt(
    admin: Admin, tenant: Tenant, database: Database
) -> None:
    assert (await admin("log", "verify")).code == 0
    await database.execute("update accounts set plan = 'free' where id = %s", [tenant.id])
    differs = await admin("log", "verify", "--json")
    assert differs.code == 1
    assert "log rebuild" in differs.err
    [difference] = differs.rows
    assert difference["key"] == tenant.id
    [told] = await admin.rows("log", "rebuild", "--yes")
    assert told["rows"] > 0
    assert (await admin("log", "verify")).code == 0


async def test_events_are_told_again(admin: Admin, tenant: Tenant, database: Database) -> None:
    await database.execute(
        "update relay set xid = pg_current_xact_id(), pos = 1000000, last_sequence = 7"
    )
    [told] = await admin.rows("log", "republish", "--since", "2020-01-01")
    [count] = await database.rows("select count(*) as n from events")
    assert told["events"] == count["n"] > 0
    [relay] = await database.rows("select last_sequence from relay")
    assert relay["last_sequence"] == 0
    [nothing] = await admin.rows("log", "republish", "--since", "2999-01-01")
    assert nothing["events"] == 0


async def test_keys_are_rotated_from_the_derived_one(
    admin: Admin, tenant: Tenant, postgres_url: str
) -> None:
    rotating = Admin(postgres_url, CUEAPI_ENCRYPTION_KEY=NEW_KEY)
    [before] = await rotating.rows("keys", "status")
    assert before["to_rotate"]
    [told] = await rotating.rows("keys", "rotate")
    assert told["resealed"] > 0
    assert told["left_over"] == {}
    [after] = await rotating.rows("keys", "status")
    assert after["to_rotate"] == {}


async def test_an_account_is_exported_and_erased(
    admin: Admin, tenant: Tenant, tmp_path: Path
) -> None:
    file = tmp_path / "account.jsonl"
    [told] = await admin.rows("accounts", "export", tenant.email, str(file))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert told["lines"] == len(lines) > 5
    assert file.stat().st_mode & 0o777 == 0o600
    again = await admin("accounts", "export", tenant.email, str(file))
    assert "exists already" in again.err
    wrong = await admin("accounts", "erase", tenant.email, "--reason", "asked", answer="no\n")
    assert wrong.code == 2
    assert "nothing was erased" in wrong.err
    arguments = ("accounts", "erase", tenant.email, "--reason", "asked")
    assert (await admin(*arguments, answer=f"{tenant.id}\n")).code == 0
    assert "There is no account" in (await admin("accounts", "show", tenant.id)).err


async def test_old_months_are_archived_verified_and_restored(
    admin: Admin, database: Database, tmp_path: Path
) -> None:
    await live(database)
    folder = ("--folder", str(tmp_path))
    early = await admin("archive", "run", "--before", "2999-01", *folder)
    assert early.code == 2
    assert "stay in the log" in early.err
    [done] = await admin.rows("archive", "run", "--before", "2026-05", *folder)
    assert (done["month"], done["events"]) == ("2026-04", 60)
    [listed] = await admin.rows("archive", "list")
    [checked] = await admin.rows("archive", "verify", *folder)
    assert (listed["month"], listed["content"]) == ("2026-04", checked["sha256"])
    without = await admin("log", "verify")
    assert without.code == 1
    assert "--archives" in without.err
    assert (await admin("log", "verify", "--archives", str(tmp_path))).code == 0
    [restored] = await admin.rows("archive", "restore", "2026-04", *folder)
    assert restored["events"] == 60

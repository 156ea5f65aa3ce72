"""Bulk deletion, workers' removal, echoes and support (contract §2 nr 40-42, §3), on Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import ASGIApp

from libs.events.log import PostgresLog
from libs.runtime.http.names import NameLookup
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database
from services.api.routes.ports import Rules
from tests.services.api.bodies import ABSENT, CUE, changed
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.real import User, application, client_of, registered

pytestmark = pytest.mark.integration

TICKET: dict[str, Any] = {
    "subject": "Cues run twice",
    "message": "Since this morning each of my cues has run twice; see execution 550e8400.",
    "severity": "high",
    "type": "bug",
}


@pytest.fixture(scope="module")
def lookup() -> Iterator[NameLookup]:
    names = NameLookup(addresses_of)
    yield names
    names.close()


@pytest.fixture(scope="module")
def app(postgres_log: PostgresLog, lookup: NameLookup) -> ASGIApp:
    return application(postgres_log, lookup, Rules(default_plan="scale", session_secret=SECRET))


@pytest.fixture
async def user(app: ASGIApp) -> User:
    return await registered(app)


async def cue_of(user: User, name: str = "morning-briefing") -> str:
    return str((await user.ok("POST", "/v1/cues", {**CUE, "name": name}))["id"])


async def test_cues_are_deleted_together(app: ASGIApp, user: User) -> None:
    first, second, kept = [await cue_of(user, name) for name in "abc"]
    foreign = await cue_of(await registered(app))
    ids = [second, "nonsense", foreign, first, second, "cue_000000000000"]
    answer = await user.ok(
        "POST", "/v1/cues/bulk-delete", {"ids": ids}, X_Confirm_Destructive="true"
    )
    assert answer == {
        "deleted": [second, first],
        "skipped": ["nonsense", foreign, "cue_000000000000"],
    }
    assert [cue["id"] for cue in (await user.ok("GET", "/v1/cues"))["cues"]] == [kept]


async def test_deleting_together_happens_once_for_its_key(user: User) -> None:
    ids = [await cue_of(user, name) for name in "ab"]
    headers = {"X_Confirm_Destructive": "true", "Idempotency_Key": "sweep"}
    first = await user.ok("POST", "/v1/cues/bulk-delete", {"ids": ids}, **headers)
    again = await user.call("POST", "/v1/cues/bulk-delete", {"ids": ids}, **headers)
    assert again.json() == first == {"deleted": ids, "skipped": []}
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("body", "said", "refusal"),
    [
        ({"ids": ["x"]}, None, (400, "confirmation_required")),
        ({"ids": ["x"]}, "yes", (400, "confirmation_required")),
        ({"ids": []}, None, (422, "validation_error")),
        ({"ids": ["x"] * 101}, "true", (422, "validation_error")),
        ({"ids": [1]}, "true", (422, "validation_error")),
        ({}, "true", (422, "validation_error")),
    ],
)
async def test_what_is_not_deleted_together(
    user: User, body: Any, said: str | None, refusal: tuple[int, str]
) -> None:
    headers = {} if said is None else {"X_Confirm_Destructive": said}
    assert await user.refused("POST", "/v1/cues/bulk-delete", body, **headers) == refusal


async def test_workers_are_forgotten(app: ASGIApp, user: User) -> None:
    for worker in ("one", "two"):
        await user.ok("POST", "/v1/worker/heartbeat", {"worker_id": worker})
    stranger = await registered(app)
    assert await stranger.refused("DELETE", "/v1/workers/one") == (404, "worker_not_found")
    assert (await user.call("DELETE", "/v1/workers/one")).status_code == 204
    assert await user.refused("DELETE", "/v1/workers/one") == (404, "worker_not_found")
    listed = await user.ok("GET", "/v1/workers")
    assert [worker["worker_id"] for worker in listed["workers"]] == ["two"]


@pytest.mark.parametrize("worker", ["none", "%00", "x" * 300, "é"])
async def test_workers_that_are_not_there(user: User, worker: str) -> None:
    assert await user.refused("DELETE", f"/v1/workers/{worker}") == (404, "worker_not_found")


async def test_an_echo_keeps_the_last_delivery(app: ASGIApp, user: User) -> None:
    path = f"/v1/echo/{new_uuid()}"
    assert await user.ok("GET", path) == {"status": "waiting"}
    async with client_of(app) as client:
        for n in (1, 2):
            sent = await client.post(
                path,
                json={"n": n, "word": "é"},
                headers={"X-CueAPI-Attempt": str(n), "X-Other": "no", "User-Agent": "CueAPI/1.0"},
            )
            assert sent.json() == {"stored": True}
    echo = await user.ok("GET", path)
    assert echo == {
        "status": "delivered",
        "payload": {"n": 2, "word": "é"},
        "headers": {
            "Content-Type": "application/json",
            "User-Agent": "CueAPI/1.0",
            "X-CueAPI-Attempt": "2",
        },
        "received_at": echo["received_at"],
    }


async def test_echoes_fade(app: ASGIApp, user: User, database: Database) -> None:
    token = new_uuid()
    async with client_of(app) as client:
        await client.post(f"/v1/echo/{token}", json={})
    await database.execute(
        "update echoes set received_at = now() - interval '5 minutes' where token = %s", [token]
    )
    assert await user.ok("GET", f"/v1/echo/{token}") == {"status": "waiting"}


async def test_echoes_have_bounds(app: ASGIApp, user: User) -> None:
    assert await user.refused("GET", "/v1/echo/short") == (400, "invalid_token")
    async with client_of(app) as client:
        short = await client.post("/v1/echo/short", json={})
        assert (short.status_code, short.json()["error"]["code"]) == (400, "invalid_token")
        large = await client.post(f"/v1/echo/{new_uuid()}", json={"x": "x" * 1_048_576})
        assert (large.status_code, large.json()["error"]["code"]) == (413, "request_too_large")
        answers = [await client.post(f"/v1/echo/{new_uuid()}", json={}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]


@pytest.fixture
async def customer(user: User, database: Database) -> User:
    """A user who may ask for support."""
    await cue_of(user)
    await database.execute(
        "update identities set created_at = now() - interval '1 hour' where email = %s",
        [user.email],
    )
    return user


async def test_a_ticket_is_opened_and_read(app: ASGIApp, customer: User) -> None:
    received = await customer.call(
        "POST", "/v1/support", {**TICKET, "subject": "  Cues run twice "}
    )
    assert received.status_code == 201
    number = received.json()["ticket_id"]
    assert received.json() == {"status": "received", "ticket_id": number, "ticket_status": "open"}
    ticket = await customer.ok("GET", f"/v1/support/{number}")
    assert ticket == {
        "ticket_id": number,
        **TICKET,
        "ticket_status": "open",
        "status": "open",
        "created_at": ticket["created_at"],
        "updated_at": ticket["updated_at"],
    }
    page = {"tickets": [ticket], "total": 1, "limit": 20, "offset": 0}
    assert await customer.ok("GET", "/v1/support") == page
    assert await customer.ok("GET", "/v1/support?status=open") == page
    closed = await customer.ok("GET", "/v1/support?ticket_status=closed")
    assert (closed["tickets"], closed["total"]) == ([], 0)
    assert await customer.refused("GET", "/v1/support?status=lost") == (400, "invalid_filter")
    stranger = await registered(app)
    refused = await stranger.refused("GET", f"/v1/support/{number}")
    assert refused == (404, "ticket_not_found")


@pytest.mark.parametrize("number", ["0", "-1", "01", "x", "9" * 18, "9" * 40, "1.0"])
async def test_tickets_that_are_not_there(user: User, number: str) -> None:
    assert await user.refused("GET", f"/v1/support/{number}") == (404, "ticket_not_found")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "too short"),
        ("subject", " " * 10),
        ("subject", "x" * 201),
        ("message", "x" * 29),
        ("message", "x" * 10_001),
        ("severity", "urgent"),
        ("type", "question"),
        *[(field, ABSENT) for field in TICKET],
    ],
)
async def test_tickets_have_a_shape(user: User, field: str, value: Any) -> None:
    refused = await user.refused("POST", "/v1/support", changed(TICKET, field, value))
    assert refused == (422, "validation_error")


async def test_support_is_for_those_who_use_it(user: User, database: Database) -> None:
    not_yet = (403, "support_not_eligible")
    await cue_of(user)
    assert await user.refused("POST", "/v1/support", TICKET) == not_yet
    await database.execute(
        "update identities set created_at = now() - interval '2 hours' where email = %s",
        [user.email],
    )
    cue = (await user.ok("GET", "/v1/cues"))["cues"][0]["id"]
    await user.ok("DELETE", f"/v1/cues/{cue}")
    assert await user.refused("POST", "/v1/support", TICKET) == not_yet


async def test_five_tickets_an_hour(customer: User) -> None:
    answers = await asyncio.gather(
        *(customer.call("POST", "/v1/support", TICKET) for _ in range(7))
    )
    assert sorted(a.status_code for a in answers) == [201] * 5 + [429] * 2

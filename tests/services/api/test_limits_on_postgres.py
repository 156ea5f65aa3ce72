"""Limits, health, alerts and usage on real Postgres and the real deciders."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from libs.events.alerts import AlertRaised
from libs.events.envelope import Meta
from libs.events.log import PostgresLog
from libs.runtime.http.names import NameLookup
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database
from services.admin.tables.accounts import set_limits
from services.api.routes.ports import Rules
from tests.services.api.bodies import CUE, WORKER_CUE
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.real import User, application, client_of, registered

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def lookup() -> Iterator[NameLookup]:
    names = NameLookup(addresses_of)
    yield names
    names.close()


@pytest.fixture(scope="module")
def app(postgres_log: PostgresLog, lookup: NameLookup) -> ASGIApp:
    """Plan `scale`, so that no test meets a limit by accident."""
    return application(postgres_log, lookup, Rules(default_plan="scale", session_secret=SECRET))


@pytest.fixture
async def user(app: ASGIApp) -> User:
    return await registered(app)


async def test_the_plan_bounds_active_cues(postgres_log: PostgresLog, lookup: NameLookup) -> None:
    user = await registered(application(postgres_log, lookup, Rules()))
    for number in range(10):
        await user.ok("POST", "/v1/cues", {**CUE, "name": str(number)})
    refused = await user.refused("POST", "/v1/cues", {**CUE, "name": "eleventh"})
    assert refused == (403, "cue_limit_exceeded")


async def test_an_accounts_own_limits_go_before_its_plans(
    postgres_log: PostgresLog, database: Database, lookup: NameLookup
) -> None:
    user = await registered(application(postgres_log, lookup, Rules()))
    account = (await user.ok("GET", "/v1/auth/me"))["id"]
    changes = {"active_cues": 11, "executions_per_month": 1, "requests_per_minute": 25}
    await set_limits(postgres_log, account, changes, reset=False)
    me = await user.ok("GET", "/v1/auth/me")
    assert (me["plan"], me["active_cue_limit"], me["rate_limit_per_minute"]) == ("free", 11, 25)
    cues = [await user.ok("POST", "/v1/cues", {**CUE, "name": str(n)}) for n in range(11)]
    refused = await user.refused("POST", "/v1/cues", {**CUE, "name": "twelfth"})
    assert refused == (403, "cue_limit_exceeded")
    fire = f"/v1/cues/{cues[0]['id']}/fire"
    for _ in range(2):  # the second begins the grace
        await user.ok("POST", fire)
    usage = await user.call("GET", "/v1/usage")
    assert usage.json()["executions"]["limit"] == 1
    assert usage.headers["x-cueapi-usage-warning"] == "limit_reached"
    await database.execute(
        "update usage set grace_started_at = now() - interval '25 hours' where account_id = %s",
        [account],
    )
    assert await user.refused("POST", fire) == (403, "execution_limit_exceeded")
    statuses = [(await user.call("GET", "/v1/usage")).status_code for _ in range(10)]
    assert statuses == [200] * 7 + [429] * 3


async def test_the_window_is_exact(postgres_log: PostgresLog, lookup: NameLookup) -> None:
    """Two replicas, many requests at once: exactly the plan's number gets through."""
    replicas = [application(postgres_log, lookup, Rules()) for _ in range(2)]
    user = await registered(replicas[0])

    async def get(number: int) -> httpx.Response:
        async with client_of(replicas[number % 2]) as client:
            headers = {"Authorization": f"Bearer {user.api_key}"}
            return await client.get("/v1/workers", headers=headers)

    answers = await asyncio.gather(*(get(number) for number in range(90)))
    assert sorted(a.status_code for a in answers) == [200] * 60 + [429] * 30
    remaining = sorted(int(a.headers["x-ratelimit-remaining"]) for a in answers if a.is_success)
    assert remaining == list(range(60))
    full = next(a for a in answers if a.status_code == 429)
    assert 1 <= int(full.headers["retry-after"]) <= 60
    assert full.json()["error"]["code"] == "rate_limit_exceeded"


async def test_the_window_slides(
    postgres_log: PostgresLog, database: Database, lookup: NameLookup
) -> None:
    user = await registered(application(postgres_log, lookup, Rules()))
    for _ in range(60):
        await user.ok("GET", "/v1/workers")
    assert (await user.refused("GET", "/v1/workers"))[0] == 429
    rows = await database.rows(
        "update rate_windows w set hits[1] = now() - interval '61 seconds' from api_keys k"
        " where k.id::text = w.subject and k.prefix = %(prefix)s returning cardinality(hits) as n",
        {"prefix": user.api_key[:12]},
    )
    assert rows[0]["n"] == 60  # the refused one was not counted
    assert (await user.call("GET", "/v1/workers")).status_code == 200
    assert (await user.refused("GET", "/v1/workers"))[0] == 429


async def test_health(app: ASGIApp, database: Database) -> None:
    await database.execute(
        "insert into poller (last_run, cues_last_cycle, cycle_duration_ms) values (now(), 3, 4)"
        " on conflict do nothing"
    )
    async with client_of(app) as client:
        health = (await client.get("/health")).json()
        status = await client.get("/status")
    assert health["services"]["postgres"] == "ok"
    assert health["services"]["poller"] == "ok"
    assert health["queue"]["stale_executions"] == 0
    assert (status.status_code, status.json()) == (200, {"status": "healthy"})


async def raised(log: PostgresLog, execution: dict[str, Any], account_id: str, kind: str) -> str:
    """Put an alert on record, as the alerts service does."""
    alert_id = new_uuid()
    async with log.transaction() as unit:
        event = AlertRaised(
            at=unit.now,
            alert_id=alert_id,
            account_id=account_id,
            cue_id=execution["cue_id"],
            kind=kind,
            episode=alert_id,
            execution_id=execution["id"],
            facts={"consecutive_failures": 3, "threshold": 3},
        )
        meta = Meta(correlation_id="test", actor="alerts")
        unit.record("alert", alert_id, account_id, [event], meta)
    return alert_id


async def test_alerts(app: ASGIApp, user: User, postgres_log: PostgresLog) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    account_id = (await user.ok("GET", "/v1/auth/me"))["id"]
    first = await raised(postgres_log, fired, account_id, "consecutive_failure")
    second = await raised(postgres_log, fired, account_id, "outcome_timeout")
    listed = await user.ok("GET", "/v1/alerts")
    assert [alert["id"] for alert in listed["alerts"]] == [second, first]
    alert = listed["alerts"][1]
    assert alert == {
        "id": first,
        "alert_type": "consecutive_failure",
        "severity": "warning",
        "cue_id": cue["id"],
        "cue_name": "nightly",
        "execution_id": fired["id"],
        "message": "nightly failed 3 times in a row",
        "metadata": {"consecutive_failures": 3, "threshold": 3},
        "acknowledged": False,
        "acknowledged_at": None,
        "created_at": alert["created_at"],
    }
    seen = await user.ok("POST", f"/v1/alerts/{first}/acknowledge")
    assert seen["acknowledged"] is True
    assert await user.ok("POST", f"/v1/alerts/{first}/acknowledge", {}) == seen
    for query, found in (
        ("alert_type=consecutive_failure", [first]),
        ("alert_type=consecutive_failures", [first]),
        ("alert_type=missed_window", []),
        (f"cue_id={cue['id']}", [second, first]),
        ("cue_id=nonsense", []),
        (f"execution_id={fired['id']}&limit=1", [second]),
        ("execution_id=nonsense", []),
        ("acknowledged=true", [first]),
        ("acknowledged=false", [second]),
        (f"since={listed['alerts'][0]['created_at']}", [second]),
    ):
        page = await user.ok("GET", f"/v1/alerts?{query}")
        assert [each["id"] for each in page["alerts"]] == found, query
    assert await user.refused("GET", "/v1/alerts?alert_type=bad") == (400, "invalid_filter")
    other = await registered(app)
    for alert_id in (first, "nonsense", new_uuid()):
        refused = await other.refused("POST", f"/v1/alerts/{alert_id}/acknowledge")
        assert refused == (404, "alert_not_found")
    await user.ok("DELETE", f"/v1/cues/{cue['id']}")
    assert (await user.ok("GET", "/v1/alerts"))["total"] == 2


async def test_usage(user: User) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    paused = await user.ok("POST", "/v1/cues", {**CUE, "name": "paused"})
    await user.ok("PATCH", f"/v1/cues/{paused['id']}", {"status": "paused"})
    for success in (True, True, False):
        fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
        await user.ok("POST", f"/v1/executions/{fired['id']}/outcome", {"success": success})
    usage = await user.ok("GET", "/v1/usage")
    assert usage["plan"] == "scale"
    assert usage["cues"] == {
        "used": 1,
        "active": 1,
        "paused": 1,
        "limit": 500,
        "remaining": 499,
        "percent_used": 0,
    }
    assert (usage["executions"]["used"], usage["executions"]["limit"]) == (3, 50_000)
    assert usage["executions"]["grace_ends_at"] is None
    assert usage["outcomes"] == {"reported": 3, "succeeded": 2, "failed": 1}
    assert usage["rate_limit"] == {"limit": 500, "requests_per_minute": 500, "current_usage": 10}
    assert usage["upgrade_url"] is None

"""Every resource is private to its account (contract §1): tried on every route there is.

A new route is covered by itself; one that needs a body fails here until `BODIES` has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import ASGIApp

from libs.events.alerts import AlertRaised
from libs.events.envelope import Meta
from libs.events.log import PostgresLog
from libs.runtime.http.names import NameLookup
from libs.runtime.ids import new_cue_id, new_uuid
from libs.runtime.postgres import Database
from services.api.app import RESOURCES
from services.api.routes.operation import Access, Operation
from services.api.routes.ports import Rules
from tests.services.api.bodies import CUE
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.real import User, application, registered

pytestmark = pytest.mark.integration

OPERATIONS = [
    operation
    for resource in RESOURCES
    for operation in resource.all
    if operation.access is Access.ACCOUNT
]
# The token of an echo is what makes it private: who posts to it has no account.
ON_RESOURCES = [o for o in OPERATIONS if "{" in o.path and "/echo/" not in o.path]
# A stream does not end: tests/services/api/test_streams.py holds it to one account's events.
READS = [
    o
    for o in OPERATIONS
    if "{" not in o.path and o.method == "GET" and o.path != "/v1/events/stream"
]

BODIES: dict[str, Any] = {
    "report_outcome": {"success": True},
    "append_evidence": {"external_id": "x"},
    "claim_execution": {"worker_id": "worker-1"},
    "update_key": {"label": "mine"},
}
QUERIES = {"explain_cue": "?at=2026-03-02T12:00:00Z"}


@pytest.fixture(scope="module")
def lookup() -> Iterator[NameLookup]:
    names = NameLookup(addresses_of)
    yield names
    names.close()


@pytest.fixture(scope="module")
def app(postgres_log: PostgresLog, lookup: NameLookup) -> ASGIApp:
    rules = Rules(default_plan="scale", session_secret=SECRET, enforce_quotas=False)
    return application(postgres_log, lookup, rules)


@pytest.fixture(scope="module")
async def stranger(app: ASGIApp) -> User:
    return await registered(app)


@pytest.fixture(scope="module")
async def owner(app: ASGIApp) -> User:
    return await registered(app)


@pytest.fixture(scope="module")
async def owned(owner: User, postgres_log: PostgresLog, database: Database) -> dict[str, str]:
    """One id of each kind, by the name that it has in paths."""
    worker_cue = {**CUE, "transport": "worker", "callback": {}}
    cue = (await owner.ok("POST", "/v1/cues", worker_cue))["id"]
    execution = (await owner.ok("POST", f"/v1/cues/{cue}/fire"))["id"]
    await owner.ok("POST", "/v1/worker/heartbeat", {"worker_id": "the-owners-worker"})
    key = (await owner.ok("POST", "/v1/auth/keys", {"label": "second"}))["id"]
    await database.execute(
        "update identities set created_at = now() - interval '1 hour' where email = %s",
        [owner.email],
    )
    ticket = {
        "subject": "Cues run twice",
        "message": "Since this morning each of my cues has run twice.",
        "severity": "high",
        "type": "bug",
    }
    number = (await owner.ok("POST", "/v1/support", ticket))["ticket_id"]
    alert, account = new_uuid(), (await owner.ok("GET", "/v1/auth/me"))["id"]
    async with postgres_log.transaction() as unit:
        raised = AlertRaised(
            at=unit.now,
            alert_id=alert,
            account_id=account,
            cue_id=cue,
            kind="outcome_timeout",
            episode=execution,
            execution_id=execution,
            facts={},
        )
        unit.record("alert", alert, account, [raised], Meta(correlation_id="t", actor="test"))
    return {
        "cue_id": cue,
        "execution_id": execution,
        "alert_id": alert,
        "key_id": key,
        "ticket_id": str(number),
        "worker_id": "the-owners-worker",
    }


UNKNOWN = {
    "cue_id": new_cue_id(),
    "execution_id": new_uuid(),
    "alert_id": new_uuid(),
    "key_id": new_uuid(),
    "ticket_id": "987654321",
    "worker_id": "nobodys-worker",
}


def name_of(operation: Operation[Any, Any]) -> str:
    return str(operation.handler.__name__)


def path_of(operation: Operation[Any, Any], ids: dict[str, str]) -> str:
    path = re.sub(r"\{(\w+)\}", lambda part: ids[part[1]], operation.path)
    return path + QUERIES.get(name_of(operation), "")


async def told(
    user: User, operation: Operation[Any, Any], ids: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    path = path_of(operation, ids)
    answer = await user.call(operation.method, path, BODIES.get(name_of(operation), {}))
    text = answer.text
    for value in ids.values():
        text = text.replace(value, "<id>")
    error = {**answer.json()["error"], "message": "", "request_id": "", "trace_id": ""}
    assert "<id>" not in text or answer.status_code == 404
    return answer.status_code, error


@pytest.mark.parametrize("operation", ON_RESOURCES, ids=name_of)
async def test_anothers_id_is_as_one_that_never_was(
    operation: Operation[Any, Any], stranger: User, owned: dict[str, str]
) -> None:
    foreign = await told(stranger, operation, owned)
    assert foreign == await told(stranger, operation, UNKNOWN)
    assert foreign[0] == 404, foreign


@pytest.mark.parametrize("operation", READS, ids=name_of)
async def test_no_list_shows_what_is_anothers(
    operation: Operation[Any, Any], stranger: User, owned: dict[str, str]
) -> None:
    shown = await stranger.call("GET", operation.path)
    assert shown.status_code == 200, shown.text
    for name, value in owned.items():
        assert f'"{value}"' not in shown.text, name
        filtered = await stranger.call("GET", f"{operation.path}?{name}={value}")
        assert f'"id":"{value}"' not in filtered.text


async def test_the_owner_still_has_everything(
    owner: User, stranger: User, owned: dict[str, str]
) -> None:
    body = {"ids": [owned["cue_id"]]}
    swept = await stranger.ok("POST", "/v1/cues/bulk-delete", body, X_Confirm_Destructive="true")
    assert swept["deleted"] == []
    assert (await stranger.ok("POST", "/v1/executions/replay", {}))["matched"] == 0
    await owner.ok("GET", f"/v1/cues/{owned['cue_id']}")
    await owner.ok("GET", f"/v1/executions/{owned['execution_id']}")
    await owner.ok("GET", f"/v1/support/{owned['ticket_id']}")
    await owner.ok("POST", f"/v1/alerts/{owned['alert_id']}/acknowledge")
    listed = await owner.ok("GET", "/v1/auth/keys")
    assert [key["status"] for key in listed["keys"]] == ["active", "active"]
    workers = await owner.ok("GET", "/v1/workers")
    assert [worker["worker_id"] for worker in workers["workers"]] == [owned["worker_id"]]

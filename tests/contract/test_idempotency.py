"""`Idempotency-Key` on every write of an account (contract §1): generated over the routes.

A new route is covered by itself; one that needs a body fails here until `BODIES` has it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from libs.events.log import PostgresLog
from libs.runtime.ids import new_uuid
from services.api.app import RESOURCES
from services.api.routes.operation import Access, Operation
from tests.contract.target import TICKET, Account, Target, running_target
from tests.services.api.bodies import CUE

pytestmark = pytest.mark.integration

WRITES = [
    each
    for resource in RESOURCES
    for each in resource.all
    if each.method != "GET"
    and (each.access is Access.ACCOUNT or each.path == "/v1/auth/session")
    # Without Stripe there is nothing to repeat: test_billing.py has them.
    and "/billing/" not in each.path
    # It changes nothing, so a key has nothing to hold together.
    and each.path != "/v1/schedules/preview"
]
BODIES: dict[str, Any] = {
    "create_cue": {**CUE, "name": "made once"},
    "delete_cues": {"ids": ["cue_000000000000"]},
    "claim_next_execution": {"worker_id": "worker-1"},
    "claim_execution": {"worker_id": "worker-2"},
    "report_outcome": {"success": True},
    "append_evidence": {"external_id": "x"},
    "record_worker_heartbeat": {"worker_id": "worker-1"},
    "update_me": {"email_notifications": False},
    "mint_key": {"label": "once"},
    "update_key": {"label": "renamed"},
    "create_ticket": TICKET,
    "update_cue": {"description": "changed once"},
}
# What their first call answers is decided elsewhere; here it only has to be the same again.
REFUSED_HERE = {"claim_execution", "append_evidence", "verify_outcome", "request_verification"}
REFUSED_HERE |= {"replay_execution", "send_test_delivery"}


@pytest.fixture(scope="module")
async def target(postgres_log: PostgresLog) -> AsyncIterator[Target]:
    async with running_target(postgres_log) as running:
        yield running


@pytest.fixture
async def account(target: Target) -> Account:
    return await target.account()


def name_of(operation: Operation[Any, Any]) -> str:
    return str(operation.handler.__name__)


async def send(
    target: Target, account: Account, operation: Operation[Any, Any], body: Any, key: str
) -> httpx.Response:
    path = re.sub(r"\{(\w+)\}", lambda part: account.ids[part[1]], operation.path)
    headers = {
        **account.headers,
        "Idempotency-Key": key,
        "X-Confirm-Destructive": "true",
    }
    async with httpx.AsyncClient(base_url=target.url, trust_env=False) as client:
        return await client.request(operation.method, path, json=body, headers=headers)


@pytest.mark.parametrize(
    "operation", [each for each in WRITES if name_of(each) not in REFUSED_HERE], ids=name_of
)
async def test_a_write_with_a_key_happens_once(
    operation: Operation[Any, Any], target: Target, account: Account
) -> None:
    body, key = BODIES.get(name_of(operation), {}), new_uuid()
    first = await send(target, account, operation, body, key)
    assert first.is_success, first.text
    again = await send(target, account, operation, body, key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers.get("idempotent-replayed") == "true"


@pytest.mark.parametrize(
    "operation",
    [e for e in WRITES if name_of(e) not in REFUSED_HERE and e.body.model_fields],
    ids=name_of,
)
async def test_a_key_holds_for_one_body(
    operation: Operation[Any, Any], target: Target, account: Account
) -> None:
    body, key = BODIES.get(name_of(operation), {}), new_uuid()
    first = await send(target, account, operation, body, key)
    assert first.is_success, first.text
    other = await send(target, account, operation, other_than(operation, body), key)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_key_conflict")


def other_than(operation: Operation[Any, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Another body in shape: a field set that was not, or null where null is the same as absent."""
    unset = next((name for name in operation.body.model_fields if name not in body), None)
    if name_of(operation) == "create_cue":
        return {**body, "name": "another"}
    if name_of(operation) == "update_cue":
        return {"description": "changed otherwise"}
    if name_of(operation) == "update_me":
        return {"email_notifications": True}
    if name_of(operation) == "create_ticket":
        return {**body, "severity": "low"}
    if unset is not None:
        return {**body, unset: None}
    return {**body, "ids": ["cue_111111111111"]} if "ids" in body else {**body, **changed(body)}


def changed(body: dict[str, Any]) -> dict[str, Any]:
    return {name: f"{value}-other" for name, value in body.items() if isinstance(value, str)}

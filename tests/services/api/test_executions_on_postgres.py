"""The work of executions, from claim to verdict, on real Postgres and the real deciders."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import ASGIApp

from libs.events.log import PostgresLog
from libs.runtime.http.names import NameLookup
from libs.runtime.postgres import Database
from services.api.routes.ports import Rules
from tests.services.api.bodies import WORKER_CUE
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.real import User, application, registered

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


async def test_work_of_a_deleted_cue_is_gone_for_its_workers(user: User) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    held, waiting = [(await user.ok("POST", f"/v1/cues/{cue['id']}/fire"))["id"] for _ in "12"]
    await user.ok("POST", f"/v1/executions/{held}/claim", {"worker_id": "w1"})
    await user.ok("DELETE", f"/v1/cues/{cue['id']}")
    gone = (404, "execution_not_found")
    path = f"/v1/executions/{waiting}/claim"
    assert await user.refused("POST", path, {"worker_id": "w1"}) == gone
    assert await user.refused("POST", f"/v1/executions/{held}/heartbeat", {}) == gone
    assert await user.refused("POST", f"/v1/executions/{held}/outcome", {"success": True}) == gone
    nothing = await user.refused("POST", "/v1/executions/claim", {"worker_id": "w1"})
    assert nothing == (409, "claim_failed")


async def test_a_worker_does_the_work(user: User, database: Database) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    assert "No active workers" in cue["warning"]
    beat = await user.ok(
        "POST", "/v1/worker/heartbeat", {"worker_id": "w1", "handlers": ["sync"], "v": 1}
    )
    assert beat["acknowledged"] is True
    await user.ok("POST", "/v1/worker/heartbeat", {"worker_id": "w1"})
    workers = await user.ok("GET", "/v1/workers")
    assert (workers["total"], workers["workers"][0]["handlers"]) == (1, ["sync"])
    assert workers["workers"][0]["heartbeat_status"] == "active"
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    execution_id = fired["id"]
    for query, found in (("", 1), ("?task=sync", 1), ("?task=other", 0), ("?agent=x", 0)):
        claimable = await user.ok("GET", f"/v1/executions/claimable{query}")
        assert len(claimable["executions"]) == found, query
    assert (await user.ok("GET", "/v1/executions/claimable"))["executions"] == [
        {
            "execution_id": execution_id,
            "cue_id": cue["id"],
            "cue_name": "nightly",
            "task": "sync",
            "scheduled_for": fired["scheduled_for"],
            "payload": WORKER_CUE["payload"],
            "attempt": 1,
        }
    ]
    path = f"/v1/executions/{execution_id}"
    claimed = await user.ok("POST", f"{path}/claim", {"worker_id": "w1", "extra": True})
    assert claimed == {
        "claimed": True,
        "execution_id": execution_id,
        "worker_id": "w1",
        "lease_seconds": 900,
        "lease_expires_at": claimed["lease_expires_at"],
        "attempt": 1,
        "payload": WORKER_CUE["payload"],
        "cue_id": cue["id"],
        "cue_name": "nightly",
        "scheduled_for": fired["scheduled_for"],
    }
    again = await user.refused("POST", f"{path}/claim", {"worker_id": "w1"})
    assert again == (409, "claim_failed")
    held = await user.ok("GET", path)
    assert (held["status"], held["claimed_by_worker"], held["attempts"]) == ("delivering", "w1", 1)
    assert held["lease_expires_at"] == claimed["lease_expires_at"]
    extended = await user.ok("POST", f"{path}/heartbeat", X_Worker_Id="w1")
    assert (extended["execution_id"], extended["acknowledged"]) == (execution_id, True)
    other = await user.refused("POST", f"{path}/heartbeat", {"worker_id": "w2"})
    assert other == (403, "not_execution_owner")
    refused = await user.refused("POST", f"{path}/outcome", {"success": True, "worker_id": "w2"})
    assert refused == (403, "not_execution_owner")
    outcome = {"success": True, "result": "done", "external_id": "x-1", "metadata": {"n": 1}}
    reported = await user.ok("POST", f"{path}/outcome", outcome, X_Worker_Id="w1")
    assert reported == {
        "execution_id": execution_id,
        "outcome_recorded": True,
        "outcome_state": "reported_success",
        "outcome_success": True,
        "status": "success",
        "reason": None,
    }
    done = await user.ok("GET", path)
    assert done["outcome"] == {
        **dict.fromkeys(done["outcome"]),
        **outcome,
        "recorded_at": done["outcome"]["recorded_at"],
        "source": "api",
    }
    timeline = await user.ok("GET", f"{path}/timeline")
    assert [item["type"] for item in timeline["events"]] == [
        "ExecutionScheduled",
        "ExecutionClaimed",
        "LeaseExtended",
        "OutcomeReported",
    ]
    assert timeline["total"] == 4
    assert [item["version"] for item in timeline["events"]] == [1, 2, 3, 4]
    assert all(item["summary"] and item["actor"].startswith("key:") for item in timeline["events"])
    assert len(timeline["events"][0]["trace_id"]) == 32
    await database.execute("delete from events where stream_id = %s", [f"execution-{execution_id}"])
    gone = await user.refused("GET", f"{path}/timeline")
    assert gone == (410, "timeline_archived")
    shown = await user.ok("GET", f"/v1/cues/{cue['id']}")
    assert (shown["run_count"], shown["execution_total"]) == (1, 1)
    assert shown["executions"][0] == done


async def test_claim_next(user: User) -> None:
    assert await user.refused("POST", "/v1/executions/claim", {"worker_id": "w"}) == (
        409,
        "claim_failed",
    )
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    other = {"worker_id": "w", "task": "other"}
    assert (await user.refused("POST", "/v1/executions/claim", other))[0] == 409
    body = {"worker_id": "w", "task": "sync", "lease_seconds": 10}
    claimed = await user.ok("POST", "/v1/executions/claim", body)
    assert (claimed["execution_id"], claimed["lease_seconds"]) == (fired["id"], 10)
    assert (claimed["cue_id"], claimed["cue_name"]) == (cue["id"], "nightly")
    assert claimed["scheduled_for"] == fired["scheduled_for"]


async def test_claim_next_of_several_tasks(user: User) -> None:
    for number, task in enumerate(("c", "b", "a", "b")):
        body = {**WORKER_CUE, "name": f"{task} {number}", "payload": {"task": task}}
        cue = await user.ok("POST", "/v1/cues", body)
        await user.ok("POST", f"/v1/cues/{cue['id']}/fire")

    async def claimed(**wanted: Any) -> str:
        body = {"worker_id": "w", **wanted}
        return str((await user.ok("POST", "/v1/executions/claim", body))["cue_name"])

    assert await claimed(tasks=["a", "b"]) == "b 1", "the oldest of them"
    assert await claimed(tasks=["a", "b"], task="a") == "a 2", "both must hold"
    assert await claimed(tasks=["none", "b"]) == "b 3"
    nothing = {"worker_id": "w", "tasks": ["a", "b"]}
    assert (await user.refused("POST", "/v1/executions/claim", nothing))[0] == 409
    waiting = asyncio.create_task(claimed(tasks=["x", "late"], wait_seconds=20))
    body = {**WORKER_CUE, "name": "late", "payload": {"task": "late"}}
    cue = await user.ok("POST", "/v1/cues", body)
    await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    assert await waiting == "late"


async def test_claim_next_waits_for_work(user: User) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    body = {"worker_id": "w", "wait_seconds": 20}
    waiting = asyncio.create_task(user.ok("POST", "/v1/executions/claim", body))
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    assert (await waiting)["execution_id"] == fired["id"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("claim", {}, "body.worker_id"),
        ("claim", {"worker_id": ""}, "body.worker_id"),
        ("claim", {"worker_id": "x" * 256}, "body.worker_id"),
        ("claim", {"worker_id": 1}, "body.worker_id"),
        ("claim", {"worker_id": "w", "lease_seconds": 9}, "body.lease_seconds"),
        ("claim", {"worker_id": "w", "lease_seconds": 3_601}, "body.lease_seconds"),
        ("claim", {"worker_id": "w", "wait_seconds": 31}, "body.wait_seconds"),
        ("claim", {"worker_id": "w", "task": 1}, "body.task"),
        ("claim", {"worker_id": "w", "tasks": []}, "body.tasks"),
        ("claim", {"worker_id": "w", "tasks": ["t"] * 101}, "body.tasks"),
        ("claim", {"worker_id": "w", "tasks": [1]}, "body.tasks.0"),
        ("x/claim", {}, "body.worker_id"),
        ("x/heartbeat", {"worker": "w"}, "body.worker"),
        ("x/heartbeat", {"worker_id": 1}, "body.worker_id"),
        ("x/replay", {"now": True}, "body.now"),
        ("x/verify", {"valid": "yes"}, "body.valid"),
        ("x/verify", {"reason": "x" * 501}, "body.reason"),
    ],
)
async def test_bodies_of_executions(
    user: User, path: str, body: dict[str, Any], field: str
) -> None:
    response = await user.call("POST", f"/v1/executions/{path}", body)
    assert response.status_code == 422
    assert field in [d["field"] for d in response.json()["error"]["details"]]


async def test_of_many_reports_one_stands(user: User) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    path = f"/v1/executions/{fired['id']}/outcome"
    answers = await asyncio.gather(
        *(user.call("POST", path, {"success": True, "result": str(n)}) for n in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
    codes = {a.json()["error"]["code"] for a in answers if a.status_code == 409}
    assert codes == {"outcome_already_recorded"}


async def test_evidence_and_verdicts(user: User) -> None:
    body = {**WORKER_CUE, "verification": {"mode": "require_artifacts"}}
    cue = await user.ok("POST", "/v1/cues", body)
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    path = f"/v1/executions/{fired['id']}"
    evidence = {"artifacts": [{"url": "a"}], "metadata": {"k": 1}, "summary": "s"}
    assert await user.refused("PATCH", f"{path}/evidence", evidence) == (409, "no_outcome")
    assert await user.refused("POST", f"{path}/verify") == (409, "invalid_state")
    assert await user.refused("POST", f"{path}/verification-pending") == (409, "no_outcome")
    reported = await user.ok(
        "POST", f"{path}/outcome", {"success": True, "artifacts": [], "external_id": ""}
    )
    assert reported["outcome_state"] == "verification_failed"
    assert reported["reason"] == "artifacts missing"
    assert await user.refused("PATCH", f"{path}/evidence", {}) == (422, "no_fields")
    assert await user.refused("PATCH", f"{path}/evidence", {"summary": None}) == (422, "no_fields")
    updated = await user.ok("PATCH", f"{path}/evidence", evidence)
    assert updated == {
        "execution_id": fired["id"],
        "outcome_state": "verified_success",
        "outcome_success": True,
        "evidence_updated": True,
    }
    more = {"artifacts": [{"url": "a"}, {"url": "b"}], "metadata": {"l": 2}}
    await user.ok("PATCH", f"{path}/evidence", more)
    outcome = (await user.ok("GET", path))["outcome"]
    assert outcome["artifacts"] == [{"url": "a"}, {"url": "b"}]
    assert outcome["evidence_metadata"] == {"k": 1, "l": 2}
    assert (outcome["metadata"], outcome["validation_state"]) == (None, "valid")
    too_many = {"artifacts": [{"url": str(n)} for n in range(99)], "summary": "lost?"}
    response = await user.call("PATCH", f"{path}/evidence", too_many)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "validation_error")
    assert response.json()["error"]["details"][0]["field"] == "body.artifacts"
    assert (await user.ok("GET", path))["outcome"] == outcome
    for _ in range(2):
        await user.ok("PATCH", f"{path}/evidence", {"artifacts": too_many["artifacts"][:98]})
    assert len((await user.ok("GET", path))["outcome"]["artifacts"]) == 100
    await user.ok("PATCH", f"{path}/evidence", {"metadata": {"x": "m" * 6_000}})
    answered = await user.call("PATCH", f"{path}/evidence", {"metadata": {"y": "m" * 6_000}})
    assert (answered.status_code, answered.json()["error"]["code"]) == (400, "metadata_too_large")
    pending = await user.ok("POST", f"{path}/verification-pending")
    assert pending == {"execution_id": fired["id"], "outcome_state": "verification_pending"}
    verdict = await user.ok("POST", f"{path}/verify", {"valid": False, "reason": "wrong"})
    assert verdict == {
        "execution_id": fired["id"],
        "outcome_state": "verification_failed",
        "valid": False,
        "reason": "wrong",
    }
    rejected = (await user.ok("GET", path))["outcome"]
    assert rejected["summary"] == "s | verification rejected: wrong"
    assert rejected["success"] is True


async def test_replay(user: User) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    fired = await user.ok("POST", f"/v1/cues/{cue['id']}/fire", {"payload_override": {"n": 9}})
    path = f"/v1/executions/{fired['id']}"
    assert await user.refused("POST", f"{path}/replay") == (409, "execution_in_flight")
    await user.ok("POST", f"{path}/outcome", {"success": False, "error": "no"})
    replayed = await user.ok("POST", f"{path}/replay")
    assert replayed == {
        **replayed,
        "execution_id": replayed["id"],
        "cue_id": cue["id"],
        "status": "pending",
        "triggered_by": "replay",
        "replayed_from": fired["id"],
        "payload": {"task": "sync", "n": 9},
    }
    shown = await user.ok("GET", f"/v1/executions/{replayed['id']}")
    assert shown["replayed_from"] == fired["id"]


async def test_executions_are_listed_and_filtered(user: User) -> None:
    cue = await user.ok("POST", "/v1/cues", WORKER_CUE)
    other = await user.ok("POST", "/v1/cues", {**WORKER_CUE, "name": "other"})
    ids = [
        (await user.ok("POST", f"/v1/cues/{cue_id}/fire"))["id"]
        for cue_id in (cue["id"], cue["id"], other["id"])
    ]
    await user.ok("POST", f"/v1/executions/{ids[0]}/claim", {"worker_id": "w9"})
    evidence = {"success": True, "result_type": "report", "result_url": "https://a.example/r"}
    await user.ok("POST", f"/v1/executions/{ids[0]}/outcome", evidence)
    everything = await user.ok("GET", "/v1/executions")
    assert [e["id"] for e in everything["executions"]] == ids[::-1]
    assert everything["total"] == 3
    assert everything["has_more"] is False
    first = everything["executions"][-1]
    assert everything["oldest_claimed_at"] == first["claimed_at"]
    middle = everything["executions"][1]["created_at"]
    for query, found in (
        ("limit=2", ids[:0:-1]),
        ("limit=2&offset=2", ids[:1]),
        ("offset=3", []),
        (f"cue_id={cue['id']}", ids[1::-1]),
        ("cue_id=cue_000000000000", []),
        ("cue_id=nonsense", []),
        ("status=success", ids[:1]),
        ("status=pending", ids[:0:-1]),
        ("status=retry_ready", []),
        ("status__in=success,%20pending", ids[::-1]),
        ("outcome_state=reported_success", ids[:1]),
        ("triggered_by=manual_fire", ids[::-1]),
        ("triggered_by=scheduled", []),
        ("worker_id=w9", ids[:1]),
        ("worker_id=w", []),
        ("result_type=report", ids[:1]),
        ("has_evidence=true", ids[:1]),
        ("has_evidence=false", ids[:0:-1]),
        (f"since={middle}", ids[:0:-1]),
        (f"until={middle}", ids[1::-1]),
        ("until=2020-01-01T00:00:00", []),
    ):
        page = await user.ok("GET", f"/v1/executions?{query}")
        assert [e["id"] for e in page["executions"]] == found, query
        assert page["has_more"] is (query == "limit=2")
    for query, refused in (
        ("status=pending&status__in=failed", (400, "conflicting_filters")),
        ("status__in=", (400, "invalid_status_in")),
        ("status__in=,", (400, "invalid_status_in")),
        ("has_evidence=yes", (422, "validation_error")),
        ("since=yesterday", (422, "validation_error")),
        ("since=2026-01-01", (422, "validation_error")),
    ):
        assert await user.refused("GET", f"/v1/executions?{query}") == refused, query

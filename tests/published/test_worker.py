"""The published `cueapi-worker` (clients.md §3)."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import Api, JsonObject, ok
from tests.e2e.waiting import eventually
from tests.e2e.world import World
from tests.published.leases import LEASE_SECONDS
from tests.published.programs import Daemons

pytestmark = pytest.mark.e2e


async def fired(api: Api, task: str, **payload: Any) -> str:
    """Make an execution for a task, and give its id."""
    cue = await api.worker_cue(payload={"task": task, **payload})
    return await api.fire(cue["id"])


async def outcome_of(api: Api, daemons: Daemons, handler: Any, **payload: Any) -> JsonObject:
    """Have a handler do an execution, and give what is on record of it."""
    execution_id = await fired(api, "it", **payload)

    async def look() -> JsonObject | None:
        return (await api.execution(execution_id))["outcome"] or None

    async with daemons.running(handlers={"it": handler}):
        return await eventually(look, f"an outcome of {execution_id}")


def written(fields: Any) -> str:
    """A command that writes these fields to the outcome file."""
    return f"echo '{json.dumps(fields)}' > $CUEAPI_OUTCOME_FILE"


async def test_a_handler_gets_its_surroundings(api: Api, daemons: Daemons) -> None:
    handler = {
        "cmd": "env | grep -E '^(CUEAPI|OWN)'; cat; pwd; echo '{{ payload.deep.who }}/{{ none }}'",
        "cwd": "/",
        "timeout": 20,
        "env": {"OWN": "{{ deep.who }}"},
    }
    outcome = await outcome_of(api, daemons, handler, deep={"who": "me"})
    assert outcome["success"], outcome
    *variables, folder, line = outcome["result"].splitlines()
    told = dict(each.split("=", 1) for each in variables)
    assert (folder, line) == ("/", "me/")
    assert json.loads(told.pop("CUEAPI_PAYLOAD")) == {"task": "it", "deep": {"who": "me"}}
    assert told.pop("CUEAPI_EXECUTION_ID")
    assert told.pop("CUEAPI_CUE_ID").startswith("cue_")
    assert told.pop("CUEAPI_CUE_NAME")
    assert told.pop("CUEAPI_OUTCOME_FILE")
    assert (told.pop("CUEAPI_API_KEY"), told.pop("OWN")) == (api.key, "me")
    assert told.pop("CUEAPI_WORKER_ID") == "published"
    assert told.keys() == {"CUEAPI_BASE_URL"}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("true", {"success": True, "result": "completed"}),
        ("echo out", {"success": True, "result": "out\n"}),
        ("echo out; echo err >&2", {"result": "out\n\n--- stderr ---\nerr\n"}),
        ("yes | head -c 9000", {"success": True, "result": ("y\n" * 2048)}),
        ("echo no; exit 3", {"success": False, "error": "no\n"}),
        ("exit 3", {"success": False, "error": "handler failed"}),
        (written({"success": True, "result": "mine"}), {"success": True, "result": "mine"}),
        (written({"result": "mine"}) + "; echo out", {"success": True, "result": "mine"}),
        (written({"success": False, "error": "mine"}), {"success": False, "error": "mine"}),
        ("echo out; " + written({"success": False}), {"success": False, "error": "out\n"}),
        (written({"error": "mine"}) + "; exit 1", {"success": False, "error": "mine"}),
        (written({"external_id": "e"}) + "; exit 1", {"success": False, "external_id": "e"}),
    ],
)
async def test_how_an_end_becomes_an_outcome(
    api: Api, daemons: Daemons, command: str, expected: JsonObject
) -> None:
    outcome = await outcome_of(api, daemons, command)
    assert outcome | expected == outcome


async def test_all_evidence_of_the_outcome_file_is_kept(api: Api, daemons: Daemons) -> None:
    evidence = {
        "external_id": "e-1",
        "result_ref": "ref",
        "result_url": "https://example.com/r",
        "result_type": "note",
        "summary": "fine",
        "artifacts": [{"name": "a"}],
        "metadata": {"m": 1},
    }
    outcome = await outcome_of(api, daemons, written({"success": True, **evidence}))
    assert outcome | evidence == outcome


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (written({"bogus": 1, "summary": 2}), "outcome_file_dropped_fields"),
        ("echo '{' > $CUEAPI_OUTCOME_FILE", "outcome_file_parse_error"),
    ],
)
async def test_complaints_about_the_outcome_file_go_to_the_metadata(
    api: Api, daemons: Daemons, command: str, complaint: str
) -> None:
    outcome = await outcome_of(api, daemons, command)
    assert outcome["success"] is True
    assert outcome["metadata"]["_cueapi_worker"][complaint]


async def test_a_timeout_is_a_failure_without_evidence(api: Api, daemons: Daemons) -> None:
    command = written({"external_id": "e"}) + "; exec sleep 60"
    outcome = await outcome_of(api, daemons, {"cmd": command, "timeout": 1})
    assert (outcome["success"], outcome["external_id"]) == (False, None)
    assert outcome["error"] == "Handler timeout exceeded (1s)"


async def test_a_task_without_a_handler_is_left_alone(api: Api, daemons: Daemons) -> None:
    strange, known = await fired(api, "strange"), await fired(api, "known")
    async with daemons.running(handlers={"known": "true"}):
        await api.when(known, status="success")
    assert (await api.execution(strange))["status"] == "pending"


async def test_handlers_run_side_by_side(api: Api, daemons: Daemons) -> None:
    # Each waits for the other: they end only if both run at once.
    command = "touch {{ me }}; while [ ! -e {{ other }} ]; do sleep 0.05; done"
    one = await fired(api, "pair", me="a", other="b")
    two = await fired(api, "pair", me="b", other="a")
    async with daemons.running(handlers={"pair": command}, max_concurrent=2):
        await api.when(one, status="success")
        await api.when(two, status="success")


async def test_the_workers_heartbeats_hold_what_it_has_beyond_the_lease(
    api: Api, daemons: Daemons
) -> None:
    execution_id = await fired(api, "long")
    async with daemons.running(handlers={"long": f"sleep {2 * LEASE_SECONDS + 3}"}):
        done = await api.when(execution_id, status="success")
    assert (done["attempts"], done["claimed_by_worker"]) == (1, "published")
    types = await api.timeline(execution_id)
    assert len([each for each in types if "claim" in each.lower()]) == 1, types


async def test_its_heartbeats_list_it_among_the_workers(api: Api, daemons: Daemons) -> None:
    async with daemons.running(handlers={"one": "true", "two": "true"}):

        async def listed() -> JsonObject | None:
            workers: list[JsonObject] = ok(await api.get("/v1/workers"))["workers"]
            return workers[0] if workers else None

        worker = await eventually(listed, "the worker")
    assert (worker["worker_id"], worker["handlers"]) == ("published", ["one", "two"])
    assert worker["heartbeat_status"]


async def test_what_a_crashed_worker_held_is_done_by_the_next(api: Api, daemons: Daemons) -> None:
    execution_id = await fired(api, "crash")
    async with daemons.crashing(handlers={"crash": "exec sleep 15"}):
        await api.when(execution_id, status="delivering")
    async with daemons.running(handlers={"crash": "true"}, worker_id="next"):
        done = await api.when(execution_id, status="success")
    assert done["claimed_by_worker"] == "next"


async def test_sigint_lets_a_handler_finish(api: Api, daemons: Daemons) -> None:
    execution_id = await fired(api, "slow")
    async with daemons.running(handlers={"slow": "sleep 2; echo done"}) as daemon:
        await api.when(execution_id, status="delivering")
        daemon.send_signal(signal.SIGINT)
        await asyncio.wait_for(daemon.wait(), 30)
    assert (await api.execution(execution_id))["outcome"]["result"] == "done\n"


async def test_status_tells_by_its_exit_code(api: Api, daemons: Daemons) -> None:
    daemons.configure(handlers={"one": "true"})
    assert (await daemons("status")).code == 0
    daemons.configure(api_key="cue_sk_" + "0" * 32, handlers={"one": "true"})
    assert (await daemons("status")).code == 1


async def test_the_key_may_come_from_the_environment(api: Api, daemons: Daemons) -> None:
    assert api.key is not None
    daemons.configure(api_key=None, handlers={"one": "true"})
    assert (await daemons("status", CUEAPI_API_KEY=api.key)).code == 0


async def test_without_a_key_that_works_and_an_email_it_ends_with_1(
    daemons: Daemons,
) -> None:
    daemons.configure(api_key="cue_sk_" + "0" * 32, handlers={"one": "true"})
    assert (await daemons("start")).code == 1
    daemons.configure(handlers={})
    assert (await daemons("start")).code == 1


async def test_regenerate_key_writes_the_new_one(world: World, api: Api, daemons: Daemons) -> None:
    daemons.configure(handlers={"one": "true"})
    ended = await daemons("regenerate-key", stdin="y\n")
    assert ended.code == 0, ended
    assert (await daemons("status")).code == 0
    assert ok(await api.get("/v1/auth/me"), 401)["error"]["code"] == "key_rotated"


async def test_it_installs_itself_as_a_service(daemons: Daemons, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    systemctl = programs / "systemctl"
    systemctl.write_text("#!/bin/sh\n")
    systemctl.chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    unit = tmp_path / ".config/systemd/user/cueapi-worker.service"
    daemons.configure(handlers={"one": "true"})
    assert (await daemons("install-service", PATH=path)).code == 0
    assert str(daemons.config) in unit.read_text()
    assert (await daemons.without_config("uninstall-service", PATH=path)).code == 0
    assert not unit.exists()

"""The worker daemon against the stack: work done, evidence kept, crashes survived."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.client import Api
from tests.e2e.daemons import running_daemon, write_config
from tests.e2e.waiting import eventually
from tests.e2e.world import World

pytestmark = pytest.mark.e2e

SHORTEST_LEASE = 10


async def test_a_command_does_the_work_and_its_evidence_is_kept(
    world: World, api: Api, tmp_path: Path
) -> None:
    cue = await api.worker_cue(
        payload={"task": "greet", "to": "you; exit 3"},
        verification={"mode": "require_external_id"},
    )
    line = (
        "echo hello {{ payload.to }}; "
        """echo '{"external_id": "'$CUEAPI_CUE_ID'"}' > $CUEAPI_OUTCOME_FILE"""
    )
    base_url = world.stack.base_url
    async with running_daemon(tmp_path, api, base_url, handlers={"greet": line}) as daemon:
        done = await api.when(await api.fire(cue["id"]), outcome_state="verified_success")
        assert done["outcome"]["result"] == "hello you; exit 3"
        assert done["outcome"]["external_id"] == cue["id"]
        assert await daemon.stop() == 0


async def test_a_task_that_the_new_configuration_names_is_done_after_a_reload(
    world: World, api: Api, tmp_path: Path
) -> None:
    cue = await api.worker_cue(payload={"task": "late"})
    execution_id = await api.fire(cue["id"])
    base_url = world.stack.base_url
    early = await api.fire((await api.worker_cue(payload={"task": "early"}))["id"])
    async with running_daemon(tmp_path, api, base_url, handlers={"early": "true"}) as daemon:
        await api.when(early, status="success")
        assert (await api.execution(execution_id))["status"] == "pending"
        write_config(tmp_path, handlers={"late": "echo $CUEAPI_TASK"})
        daemon.reload()
        done = await api.when(execution_id, status="success")
    assert done["outcome"]["result"] == "late"


async def test_a_stopped_worker_finishes_what_it_does(
    world: World, api: Api, tmp_path: Path
) -> None:
    cue = await api.worker_cue(payload={"task": "slow"})
    go = tmp_path / "go"
    line = f"touch begun; until [ -e {go} ]; do sleep 0.05; done; echo finished"
    base_url = world.stack.base_url
    async with running_daemon(tmp_path, api, base_url, handlers={"slow": line}) as daemon:
        execution_id = await api.fire(cue["id"])
        await eventually(_exists(tmp_path / "begun"), "the job has begun")
        go.touch()
        assert await daemon.stop() == 0
    done = await api.execution(execution_id)
    assert (done["status"], done["outcome"]["result"]) == ("success", "finished")


async def test_the_job_of_a_killed_worker_is_done_by_another_once(
    world: World, api: Api, tmp_path: Path
) -> None:
    cue = await api.worker_cue(payload={"task": "work"})
    begun, base_url = tmp_path / "first" / "begun", world.stack.base_url
    lasting = {"work": "echo $$ > begun.tmp; mv begun.tmp begun; exec sleep 600"}
    first, second = f"first-{uuid4()}", f"second-{uuid4()}"
    async with running_daemon(
        tmp_path / "first",
        api,
        base_url,
        worker_id=first,
        lease_seconds=SHORTEST_LEASE,
        handlers=lasting,
    ) as daemon:
        execution_id = await api.fire(cue["id"])
        await eventually(_exists(begun), "the first worker has begun")
        daemon.kill()
        os.killpg(int(begun.read_text()), signal.SIGKILL)  # a crash of the machine, not of one

    assert (await api.execution(execution_id))["claimed_by_worker"] == first
    async with running_daemon(
        tmp_path / "second", api, base_url, worker_id=second, handlers={"work": "echo mine"}
    ):
        done = await api.when(execution_id, status="success")
    assert (done["claimed_by_worker"], done["attempts"]) == (second, 2)
    assert done["outcome"]["result"] == "mine"
    timeline = await api.timeline(execution_id)
    assert timeline.count("OutcomeReported") == 1, timeline


def _exists(path: Path) -> Callable[[], Awaitable[bool | None]]:
    async def look() -> bool | None:
        return await asyncio.to_thread(path.exists) or None

    return look

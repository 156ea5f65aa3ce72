"""The stack keeps its processes alive, and leaves none: real servers, stand-in services."""

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from deploy.local.errors import StackError
from deploy.local.processes import ManagedProcess
from deploy.local.stack import Stack
from deploy.local.waiting import answers, until
from tests.deploy.conftest import copy_folder
from tests.deploy.programs import STAND_INS

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def stack(
    made_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """One for all tests that leave it as they found it."""
    data_dir = tmp_path_factory.mktemp("stack")
    copy_folder(made_folder, data_dir / "postgres")
    stack = Stack(data_dir, fsync=False, programs=STAND_INS, replicas={"dispatcher": 2})
    async with stack:
        yield stack


def processes_of(stack: Stack) -> list[psutil.Process]:
    running = [process for process in stack.processes if process.running]
    return [psutil.Process(process.pid) for process in running]


def none_lives(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=5)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in alive)


async def came_back(process: ManagedProcess, old_pid: int) -> None:
    async def is_another() -> bool:
        return process.up and process.pid != old_pid

    await until(is_another, 10)


async def test_everything_runs_and_nothing_is_left(data_dir: Path) -> None:
    stack = Stack(data_dir, fsync=False, programs=STAND_INS, env={"DEAF": "alerts"})
    async with stack:
        names = ["postgres", "nats", "migrate"]
        names += ["scheduler", "dispatcher", "outcomes", "alerts", "api"]
        assert [process.name for process in stack.processes] == names
        started = processes_of(stack)
        assert len(started) == 7
        assert "migrated" in stack.logs("migrate")
        assert await answers(stack.base_url)
        stack.services["alerts"][0].kill_now()
    assert none_lives(started)


async def test_replicas_are_processes_with_health_ports_of_their_own(stack: Stack) -> None:
    first, second = stack.services["dispatcher"]
    assert (first.name, second.name) == ("dispatcher", "dispatcher.2")
    assert first.pid != second.pid
    assert first.health != second.health
    assert await first.is_ready()
    assert await second.is_ready()
    assert len(stack.logs("dispatcher")) >= 2


async def test_a_process_that_dies_is_started_again(stack: Stack) -> None:
    for process in [stack.services["scheduler"][0], stack.nats, stack.postgres]:
        old = process.pid
        os.kill(old, signal.SIGKILL)
        await came_back(process, old)
    async with await psycopg.AsyncConnection.connect(stack.database_url):
        pass


async def test_what_was_killed_stays_down_until_it_is_restarted(stack: Stack) -> None:
    dispatcher = stack.services["dispatcher"][0]
    old = dispatcher.pid
    await dispatcher.kill()
    assert not dispatcher.running
    assert not await dispatcher.is_ready()
    await dispatcher.restart()
    assert dispatcher.pid != old
    assert await dispatcher.is_ready()


async def test_a_paused_process_can_be_stopped(stack: Stack) -> None:
    scheduler = stack.services["scheduler"][0]
    scheduler.pause()

    async def is_frozen() -> bool:
        return bool(psutil.Process(scheduler.pid).status() == psutil.STATUS_STOPPED)

    await until(is_frozen, 5)
    scheduler.resume()
    assert await scheduler.is_ready()
    scheduler.pause()
    await scheduler.stop(grace=5)
    assert await scheduler.ended() == 0
    await scheduler.restart()


async def test_what_does_not_heed_sigterm_is_killed(data_dir: Path) -> None:
    env = {"DEAF": "alerts"}
    async with Stack(data_dir, fsync=False, programs=STAND_INS, env=env) as stack:
        deaf = stack.services["alerts"][0]
        await deaf.stop(grace=0.2)
        assert await deaf.ended() == -signal.SIGKILL


async def test_what_keeps_crashing_is_given_up_with_its_last_words(
    data_dir: Path,
) -> None:
    waits = (0.0, 0.0)
    async with Stack(data_dir, fsync=False, programs=STAND_INS, restart_waits=waits) as stack:
        api = stack.services["api"][0]
        for _ in waits:
            old = api.pid
            assert not await answers(f"{stack.base_url}/crash")
            await came_back(api, old)
        assert not await answers(f"{stack.base_url}/crash")
        with pytest.raises(StackError, match="api keeps crashing") as failure:
            await stack.failed()
    assert "exit code 3" in failure.value.problem
    assert "it hurts" in failure.value.problem


async def test_a_service_that_cannot_start_stops_everything(data_dir: Path) -> None:
    stack = Stack(data_dir, fsync=False, programs=STAND_INS, env={"BROKEN": "outcomes"})
    with pytest.raises(StackError, match="outcomes did not start") as failure:
        await stack.start()
    assert "SESSION_SECRET is too short" in failure.value.problem
    assert processes_of(stack) == []


async def test_a_preparation_that_fails_stops_everything(data_dir: Path) -> None:
    failing = replace(STAND_INS, preparations={"migrate": ["sh", "-c", "echo no table; exit 1"]})
    stack = Stack(data_dir, fsync=False, programs=failing)
    with pytest.raises(StackError, match="no table"):
        await stack.start()
    assert processes_of(stack) == []


async def test_a_second_stack_on_the_folder_is_refused(stack: Stack) -> None:
    with pytest.raises(StackError, match=f"process {os.getpid()}") as refused:
        await Stack(stack.folder.path, programs=STAND_INS).start()
    assert "--data-dir" in refused.value.what_to_do
    assert all(process.running for process in stack.services["dispatcher"])


async def test_a_taken_port_is_refused_with_a_way_out(stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=f"Port {stack.port} is taken") as refused:
        await Stack(tmp_path / "other", port=stack.port, programs=STAND_INS).start()
    assert f"PORT={stack.port + 1} make run" in refused.value.what_to_do


async def test_a_second_start_finds_the_data_and_the_secrets(data_dir: Path) -> None:
    async with Stack(data_dir, fsync=False, programs=STAND_INS) as stack:
        secrets = stack.folder.secrets.read_text()
        async with await psycopg.AsyncConnection.connect(stack.database_url) as connection:
            await connection.execute("create table kept (n int)")
    assert stack.folder.secrets.stat().st_mode & 0o777 == 0o600
    async with Stack(data_dir, fsync=False, programs=STAND_INS) as stack:
        assert stack.folder.secrets.read_text() == secrets
        async with await psycopg.AsyncConnection.connect(stack.database_url) as connection:
            await connection.execute("select from kept")

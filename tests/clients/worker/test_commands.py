"""Commands run for jobs: what they are told, what becomes of them, and that they end."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cueapi.worker import Context, Outcome
from cueapi_worker.command import command_for
from cueapi_worker.commands import Commands

from tests.clients.worker.jobs import ACCOUNT, context, handler, job
from tests.clients.worker.waiting import until

Run = Callable[..., Outcome]


@pytest.fixture
def run() -> Run:
    commands = Commands(ACCOUNT, kill_after=0.5)

    def run_command(
        cmd: str | tuple[str, ...], ctx: Context | None = None, **fields: Any
    ) -> Outcome:
        return commands.handler(handler(cmd, **fields))(ctx or context())

    return run_command


def gone(pid: int) -> bool:
    """Say whether a process has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def test_a_command_is_told_what_it_works_on(tmp_path: Path) -> None:
    command = command_for(handler("true", env={"N": "{{ n }}"}), job(n=7), ACCOUNT, tmp_path)
    assert command.argv == ("/bin/sh", "-c", "true")
    assert command.env == {
        "N": "7",
        "CUEAPI_EXECUTION_ID": "550e8400-e29b-41d4-a716-446655440000",
        "CUEAPI_CUE_ID": "cue_x7k9m2p4q8w1",
        "CUEAPI_CUE_NAME": "daily",
        "CUEAPI_TASK": "sync",
        "CUEAPI_ATTEMPT": "2",
        "CUEAPI_WORKER_ID": "w1",
        "CUEAPI_PAYLOAD": '{"task": "sync", "n": 7}',
        "CUEAPI_PAYLOAD_FILE": str(tmp_path / "payload.json"),
        "CUEAPI_API_KEY": "cue_sk_test",
        "CUEAPI_BASE_URL": "http://localhost:8000",
        "CUEAPI_OUTCOME_FILE": str(tmp_path / "outcome.json"),
    }


def test_a_list_runs_without_a_shell(run: Run) -> None:
    outcome = run(("printf", "%s|", "{{ to }}", "$HOME"), context(to="a b; c"))
    assert outcome.result == "a b; c|$HOME|"


def test_raw_values_are_for_those_who_ask_for_them(run: Run) -> None:
    ctx = context(to="x; echo run")
    assert run("echo {{ to }}", ctx).result == "x; echo run"
    assert run("echo {{ to }}", ctx, unsafe_template=True).result == "x\nrun"


def test_the_outcome_file_is_read(run: Run) -> None:
    told = json.dumps({"success": False, "error": "no", "external_id": "t-1"})
    outcome = run(f"echo '{told}' > $CUEAPI_OUTCOME_FILE")
    assert outcome == Outcome.failure("no", external_id="t-1")


def test_a_payload_beyond_the_environment_lies_in_the_file(run: Run) -> None:
    outcome = run("echo $CUEAPI_PAYLOAD; wc -c < $CUEAPI_PAYLOAD_FILE", context(big="x" * 900_000))
    assert outcome.success
    assert int(outcome.result or 0) > 900_000


def test_it_runs_where_it_should(run: Run, tmp_path: Path) -> None:
    assert run("pwd", cwd=str(tmp_path)).result == str(tmp_path)
    assert "could not be started" in str(run(("no-such-program",)).error)
    assert "could not be started" in str(run("true", cwd=str(tmp_path / "none")).error)


def test_a_flood_of_output_is_cut(run: Run) -> None:
    outcome = run("head -c 3000000 /dev/zero | tr '\\0' x")
    assert outcome.result == "x" * 4_096


def test_at_the_timeout_all_its_processes_end(run: Run, tmp_path: Path) -> None:
    child = tmp_path / "child"
    outcome = run(
        f"sh -c 'trap : TERM; echo $$ > {child}; while :; do sleep 1; done' & wait", timeout=1.0
    )
    assert outcome.error == "Handler timeout exceeded (1s)"
    until(lambda: gone(int(child.read_text())))


def test_a_command_may_end_in_order_when_it_is_stopped(run: Run, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    line = f"trap 'echo clean > {mark}; exit' TERM; sleep 30 & wait"
    run(line, timeout=0.5)
    assert mark.read_text() == "clean\n"


def test_a_lost_lease_stops_the_command(run: Run, tmp_path: Path) -> None:
    ctx, began = context(), tmp_path / "began"
    ended = threading.Event()

    def work() -> None:
        run(f"echo $$ > {began}.tmp; mv {began}.tmp {began}; exec sleep 600", ctx)
        ended.set()

    threading.Thread(target=work, daemon=True).start()
    until(began.exists)
    ctx.job.lose()
    assert ended.wait(20)
    assert gone(int(began.read_text()))


def test_nothing_is_left_behind(run: Run) -> None:
    before = len(os.listdir("/proc/self/fd"))
    outcome = run("dirname $CUEAPI_OUTCOME_FILE")
    assert not Path(str(outcome.result)).exists()
    assert len(os.listdir("/proc/self/fd")) == before


def test_whoever_stops_can_wait_for_commands() -> None:
    commands = Commands(ACCOUNT)
    assert commands.wait_until_none_runs(0)
    ctx = context()
    work = threading.Thread(target=commands.handler(handler("sleep 600")), args=(ctx,), daemon=True)
    work.start()
    until(lambda: not commands.wait_until_none_runs(0))
    ctx.job.lose()
    assert commands.wait_until_none_runs(20)

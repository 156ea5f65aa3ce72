"""A worker: what it claims, what its handlers' ends mean, what it does when things go wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any, Literal

import httpx
import pytest
from cueapi import AuthenticationError, Context, Outcome, Retry, Worker
from cueapi.worker import LeaseLost, NoSpool, Report
from typing_extensions import override

from tests.clients.sdk.fakes import refusal
from tests.clients.sdk.jobs import LIMIT_SECONDS, JobServer

TOOK = LIMIT_SECONDS


def make(server: JobServer, **options: Any) -> Worker:
    quick = {"worker_id": "w", "poll_interval": 0.01, "wait_seconds": 1, "drain": 5.0}
    return Worker(client=server.client(), **{**quick, **options})


@contextmanager
def running(worker: Worker) -> Iterator[list[Any]]:
    """Run a worker in a thread; gives how it ended, in a list."""
    ends: list[Any] = []

    def run() -> None:
        try:
            ends.append(worker.start())
        except AuthenticationError as error:
            ends.append(error)

    thread = Thread(target=run)
    thread.start()
    try:
        yield ends
    finally:
        worker.stop()
        thread.join(TOOK)
        assert not thread.is_alive()


def test_sync_and_async_handlers_are_run_for_their_tasks() -> None:
    server = JobServer()
    worker = make(server)

    @worker.handler("sync")
    def sync(payload: dict[str, Any]) -> str:
        return f"sync {payload['n']}"

    @worker.task("async")
    async def in_loop(ctx: Context) -> dict[str, Any]:
        await asyncio.sleep(0)
        ctx.evidence(external_id=ctx.execution_id, metadata={"a": 1})
        return {"rows": ctx.payload["n"]}

    for n in range(20):
        server.add(f"s{n}", {"task": "sync", "n": n})
        server.add(f"a{n}", {"task": "async", "n": n})
    with running(worker) as ends:
        server.wait_for("outcome", *(f"{kind}{n}" for kind in "sa" for n in range(20)))
    assert ends == [True]
    assert server.outcomes["s7"] == {"success": True, "result": "sync 7", "worker_id": "w"}
    assert server.outcomes["a7"] == {
        "success": True,
        "external_id": "a7",
        "metadata": {"a": 1, "rows": 7},
        "worker_id": "w",
    }
    assert server.handlers[0] == ["sync", "async"]


def test_a_handler_of_any_task_claims_without_a_task() -> None:
    server = JobServer()
    worker = make(server, concurrency=1)
    worker.add("*", lambda ctx: ctx.task)
    server.add("e", {"task": "whatever"})
    with running(worker):
        server.wait_for("outcome", "e")
    assert server.outcomes["e"]["result"] == "whatever"
    assert {claim.get("task") for claim in server.claims} == {None}


def test_a_handler_may_have_a_bound_of_its_own() -> None:
    server = JobServer()
    worker = make(server, concurrency=4)
    at_once: list[int] = []
    running_now: set[str] = set()

    @worker.handler("a", concurrency=1)
    def a(ctx: Context) -> None:
        running_now.add(ctx.execution_id)
        at_once.append(len(running_now))
        running_now.remove(ctx.execution_id)

    names = [f"e{n}" for n in range(30)]
    for name in names:
        server.add(name, {"task": "a"})
    with running(worker):
        server.wait_for("outcome", *names)
    assert set(at_once) == {1}


def test_an_idle_worker_waits_once_for_all_tasks() -> None:
    server = JobServer()
    worker = make(server, concurrency=8, poll_interval=60.0, wait_seconds=30)
    for task in ("a", "b"):
        worker.add(task, lambda payload: None)
    with running(worker):
        (claim,) = _claims(server, 1)
        assert (claim["tasks"], claim["wait_seconds"]) == (["a", "b"], 30)
    assert len(server.claims) == 1


@pytest.mark.parametrize("does", ["refuses", "ignores"])
def test_where_the_server_takes_no_list_each_task_is_waited_for_by_itself(
    does: Literal["refuses", "ignores"],
) -> None:
    server = JobServer(several=does)
    worker = make(server, concurrency=8)
    for task in ("a", "b"):
        worker.add(task, lambda ctx: ctx.task)
    server.add("strange", {"task": "strange"})
    with running(worker):
        _claims(server, 5)
        for task in ("a", "b"):
            server.add(f"e-{task}", {"task": task})
        server.wait_for("outcome", "e-a", "e-b")
    assert server.outcomes["e-b"]["result"] == "b"
    assert "strange" not in server.outcomes
    assert {claim["task"] for claim in server.claims[1:]} == {"a", "b"}


def test_a_task_that_is_full_no_more_is_waited_for_at_once() -> None:
    server = JobServer()
    worker = make(server, concurrency=2, poll_interval=60.0, wait_seconds=30)
    go = Event()
    worker.add("bounded", lambda payload: go.wait(TOOK), concurrency=1)
    worker.add("other", lambda payload: None)
    server.add("e1", {"task": "bounded"})
    with running(worker):
        server.wait_until(lambda: any(c.get("tasks") is None for c in server.claims))
        assert server.claims[1]["task"] == "other", "the bounded one is full"
        server.add("e2", {"task": "bounded"})
        go.set()
        server.wait_for("outcome", "e1", "e2")


def test_a_handler_is_told_of_its_cue() -> None:
    server = JobServer()
    worker = make(server)
    told: list[Any] = []
    worker.add("a", lambda ctx: told.append((ctx.cue_id, ctx.cue_name, ctx.scheduled_for)))
    due = "2026-03-28T14:00:00Z"
    server.add("e", {"task": "a"}, cue_id="cue_1", cue_name="nightly", scheduled_for=due)
    with running(worker):
        server.wait_for("outcome", "e")
    assert told == [("cue_1", "nightly", datetime(2026, 3, 28, 14, tzinfo=UTC))]


def _claims(server: JobServer, count: int) -> list[dict[str, Any]]:
    server.wait_until(lambda: len(server.claims) >= count)
    return server.claims


def test_where_the_server_knows_no_claim_next_the_worker_polls() -> None:
    server = JobServer(claims_next=False)
    worker = make(server)
    names: list[Any] = []

    @worker.handler("a")
    def a(ctx: Context) -> None:
        names.append((ctx.job.cue_id, ctx.job.cue_name))

    server.add("e1", {"task": "a"})
    server.add("e2", {"task": "a"})
    with running(worker):
        server.wait_for("outcome", "e1", "e2")
    assert names == [("cue_1", "a")] * 2


def test_a_busy_handler_does_not_hold_up_heartbeats() -> None:
    server = JobServer()
    worker = make(server, lease_seconds=1)
    let_go = Event()

    @worker.handler("a")
    async def a(payload: dict[str, Any]) -> None:
        let_go.wait(TOOK)  # blocks the loop of the async handlers

    server.add("e", {"task": "a"})
    with running(worker):
        server.wait_for("beat", "e")
        let_go.set()
        server.wait_for("outcome", "e")


def test_a_lost_lease_cancels_and_reports_nothing() -> None:
    server = JobServer()
    worker = make(server, lease_seconds=1)
    told: list[str] = []
    ended = Event()

    @worker.handler("a")
    async def a(ctx: Context) -> None:
        ctx.on_lost(lambda: told.append("lost"))
        try:
            await asyncio.Event().wait()
        finally:
            told.append("cancelled")
            ended.set()

    server.add("e", {"task": "a"})
    server.lost.add("e")
    with running(worker):
        assert ended.wait(TOOK)
    assert sorted(told) == ["cancelled", "lost"]
    assert server.outcomes == {}


def test_a_sync_handler_learns_that_the_lease_is_lost() -> None:
    server = JobServer()
    worker = make(server, lease_seconds=1)
    learnt = Event()

    @worker.handler("a")
    def a(ctx: Context) -> None:
        lost = Event()
        ctx.on_lost(lost.set)
        ctx.heartbeat()
        assert lost.wait(TOOK)
        assert ctx.cancelled
        try:
            ctx.heartbeat()
        except LeaseLost:
            learnt.set()

    server.add("e", {"task": "a"})
    server.lost.add("e")
    with running(worker):
        assert learnt.wait(TOOK)
    assert server.outcomes == {}


def test_retry_reports_nothing_and_lets_the_lease_run_out() -> None:
    server = JobServer()
    worker = make(server, lease_seconds=1, concurrency=1)

    @worker.handler("a")
    def a(payload: dict[str, Any]) -> Retry | None:
        return Retry(after=2) if payload.get("again") else None

    server.add("again", {"task": "a", "again": True})
    server.add("done", {"task": "a"})
    with running(worker):
        server.wait_for("outcome", "done")
        server.wait_for("beat", "again")
    assert "again" not in server.outcomes


@pytest.mark.parametrize(
    "trouble",
    [refusal(503, "service_unavailable"), refusal(429, "rate_limit_exceeded", Retry_After="0")],
)
def test_an_outcome_is_sent_until_it_is_taken(trouble: httpx.Response) -> None:
    server = JobServer()
    server.refusals.extend([trouble, trouble])
    worker = make(server)
    worker.add("a", lambda payload: "done")
    server.add("e", {"task": "a"})
    with running(worker):
        server.wait_for("outcome", "e")
    assert server.outcomes["e"]["result"] == "done"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "execution_not_found"),
        (409, "outcome_already_recorded"),
        (403, "not_execution_owner"),
    ],
)
def test_an_outcome_that_will_never_count_is_let_go(status: int, code: str) -> None:
    server = JobServer()
    server.refusals.append(refusal(status, code))
    worker = make(server, concurrency=1)
    worker.add("a", lambda payload: None)
    server.add("e1", {"task": "a"})
    server.add("e2", {"task": "a"})
    with running(worker):
        server.wait_for("outcome", "e2")
    assert "e1" not in server.outcomes


def test_a_refused_outcome_is_reported_without_its_evidence() -> None:
    server = JobServer()
    server.refusals.append(refusal(422, "validation_error"))
    worker = make(server)
    worker.add("a", lambda payload: "done")
    server.add("e", {"task": "a"})
    with running(worker):
        server.wait_for("outcome", "e")
    note = {"_cueapi_worker": {"refused": "validation_error!"}}
    assert server.outcomes["e"] == {"success": True, "metadata": note, "worker_id": "w"}


class ListSpool(NoSpool):
    """Keeps reports in a list."""

    def __init__(self, *reports: Report) -> None:
        self.reports = {report.execution_id: report for report in reports}
        self.kept: list[str] = []

    @override
    def keep(self, report: Report) -> None:
        self.kept.append(report.execution_id)
        self.reports[report.execution_id] = report

    @override
    def drop(self, execution_id: str) -> None:
        del self.reports[execution_id]

    @override
    def left(self) -> list[Report]:
        return [*self.reports.values()]


def test_what_an_earlier_process_left_is_sent() -> None:
    server = JobServer()
    spool = ListSpool(Report("old", {"success": True}))
    worker = make(server, spool=spool)
    worker.add("a", lambda payload: None)
    server.add("new", {"task": "a"})
    with running(worker):
        server.wait_for("outcome", "old", "new")
    assert spool.kept == ["new"]
    assert spool.reports == {}


def test_a_wrong_key_ends_the_worker() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return refusal(401, "key_rotated")

    server = JobServer()
    server.handle = refuse  # type: ignore[method-assign]
    worker = make(server)
    worker.add("a", lambda payload: None)
    with pytest.raises(AuthenticationError):
        worker.start()


def test_the_drain_waits_for_handlers_and_then_lets_go() -> None:
    server = JobServer()
    worker = make(server, drain=0.05)
    began, never = Event(), Event()

    @worker.handler("a")
    async def a(payload: dict[str, Any]) -> None:
        began.set()
        await asyncio.Event().wait()
        never.set()

    server.add("e", {"task": "a"})
    with running(worker) as ends:
        assert began.wait(TOOK)
    assert ends == [False]
    assert server.outcomes == {}
    assert not never.is_set()


PROGRAM = """
import sys
from tests.clients.sdk.jobs import JobServer
from cueapi import Worker

server = JobServer()
worker = Worker(client=server.client(), wait_seconds=1)

@worker.handler("a")
def a(payload):
    print("began", flush=True)
    sys.stdin.readline()

server.add("e", {"task": "a"})
ended = worker.start()
print(ended, server.outcomes["e"]["success"], flush=True)
"""


def test_sigterm_lets_the_running_handler_finish() -> None:
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "began\n"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate("go on\n", timeout=TOOK)
    assert out == "True True\n"
    assert process.returncode == 0


def test_a_worker_without_handlers_or_key_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUEAPI_API_KEY", raising=False)
    worker = Worker()
    with pytest.raises(ValueError, match="handler"):
        worker.start()
    worker.add("a", lambda payload: None)
    with pytest.raises(ValueError, match="CUEAPI_API_KEY"):
        worker.start()
    with pytest.raises(ValueError, match="already"):
        worker.add("a", lambda payload: None)
    with pytest.raises(TypeError, match="payload"):
        worker.add("b", lambda a, b, c: None)


def boom(payload: dict[str, Any]) -> None:
    raise ValueError("no rows")


def returns(value: Any) -> Outcome | Retry:
    worker = Worker()
    worker.add("a", lambda payload: value)
    return worker.run_once({})


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (None, Outcome()),
        (True, Outcome()),
        (False, Outcome(success=False)),
        ("text", Outcome(result="text")),
        ([1, "ä"], Outcome(result='[1, "ä"]')),
        (Outcome.failure("no"), Outcome(success=False, error="no")),
        ({"success": False, "error": "no"}, Outcome(success=False, error="no")),
        ({"rows": 1, "summary": "s"}, Outcome(summary="s", metadata={"rows": 1})),
        ({"metadata": {"a": 1}, "b": 2}, Outcome(metadata={"a": 1, "b": 2})),
    ],
)
def test_what_a_handler_returns_is_the_outcome(value: Any, outcome: Outcome) -> None:
    assert returns(value) == outcome


def test_what_a_handler_raises_is_a_failure_or_a_retry() -> None:
    worker = Worker()
    worker.add("boom", boom)
    failed = worker.run_once({"task": "boom"})
    assert isinstance(failed, Outcome)
    assert (failed.success, failed.error) == (False, "ValueError: no rows")
    assert "in boom" in (failed.metadata or {})["traceback"]

    @worker.handler("again")
    async def again(payload: dict[str, Any], ctx: Context) -> None:
        raise Retry(after=ctx.attempt)

    verdict = worker.run_once({"task": "again"}, attempt=3)
    assert isinstance(verdict, Retry)
    assert verdict.after == 3
    with pytest.raises(KeyError):
        worker.run_once({"task": "unknown"})


def test_evidence_that_outcomes_do_not_have_is_a_failure() -> None:
    worker = Worker()
    worker.add("a", lambda ctx: ctx.evidence(proof="x"))
    failed = worker.run_once({})
    assert isinstance(failed, Outcome)
    assert failed.error == "TypeError: an outcome has no proof"

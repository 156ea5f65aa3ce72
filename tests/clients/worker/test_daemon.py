"""The daemon against an API in memory: work, reload, stop, and keys that end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
from cueapi import AuthenticationError
from cueapi.worker import Report
from cueapi_worker.access import Access, access_of
from cueapi_worker.config import Config
from cueapi_worker.daemon import Daemon, Reload, Stop
from cueapi_worker.errors import WorkerError
from cueapi_worker.spool import DiskSpool
from cueapi_worker.state import spool_folder

from deploy.local.ports import free_port
from tests.clients.worker.fake_api import FakeApi
from tests.clients.worker.jobs import config
from tests.clients.worker.waiting import until

EXECUTIONS = [f"00000000-0000-4000-8000-{n:012d}" for n in range(10)]
ENVIRON: dict[str, str] = {}


def no_recovery(_: Config, refused: AuthenticationError) -> Access:
    raise WorkerError(f"no recovery from {refused.code}")


class Running:
    """A daemon in a thread, and what its end was."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.drained: bool | None = None
        self.failure: WorkerError | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> bool | None:
        """Stop it, and say whether all jobs had ended."""
        self.daemon.tell(Stop())
        self.wait()
        return self.drained

    def wait(self) -> None:
        """Wait for its end."""
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.drained = self.daemon.run()
        except WorkerError as error:
            self.failure = error


@contextmanager
def running(api: FakeApi, read: Callable[[], Config], **options: Any) -> Iterator[Running]:
    options = {"recover": no_recovery, "transport": api.transport, **options}
    run = Running(Daemon(read, ENVIRON, **options))
    try:
        yield run
    finally:
        run.stop()


def test_jobs_are_done_and_reported_and_leave_nothing_on_disk(tmp_path: Path) -> None:
    api, settings = FakeApi(), config(tmp_path, handlers={"sync": "echo {{ n }}"})
    for n, execution_id in enumerate(EXECUTIONS):
        api.offer(execution_id, n=n)
    with running(api, lambda: settings) as run:
        outcomes = dict(api.outcomes(len(EXECUTIONS)))
        assert run.stop() is True
    assert {each: outcomes[each]["result"] for each in EXECUTIONS} == {
        each: str(n) for n, each in enumerate(EXECUTIONS)
    }
    assert all(each["worker_id"] == "w1" for each in outcomes.values())
    assert api.beats[0] == {"worker_id": "w1", "handlers": ["sync"]}
    assert api.keys == {"cue_sk_test"}
    assert DiskSpool(spool_folder(settings, ENVIRON)).count() == 0


def test_what_a_dead_worker_left_on_disk_is_reported(tmp_path: Path) -> None:
    api, settings = FakeApi(), config(tmp_path)
    left = Report(EXECUTIONS[0], {"success": True, "worker_id": "w1"})
    DiskSpool(spool_folder(settings, ENVIRON)).keep(left)
    with running(api, lambda: settings):
        assert api.outcomes(1) == [(left.execution_id, dict(left.body))]


def test_an_outcome_that_nobody_takes_stays_on_disk(tmp_path: Path) -> None:
    api, settings = FakeApi(), config(tmp_path, drain=0.3)
    api.outcome_status = 503
    api.offer(EXECUTIONS[0])
    with running(api, lambda: settings) as run:
        api.outcomes(1)
        assert run.stop() is False
    [report] = DiskSpool(spool_folder(settings, ENVIRON)).left()
    assert (report.execution_id, report.body["success"]) == (EXECUTIONS[0], True)


def test_a_reload_brings_new_handlers(tmp_path: Path) -> None:
    api = FakeApi()
    now = [config(tmp_path)]
    with running(api, lambda: now[0]) as run:
        api.offer(EXECUTIONS[0])
        api.outcomes(1)
        now[0] = config(tmp_path, handlers={"other": "echo new"})
        run.daemon.tell(Reload())
        api.offer(EXECUTIONS[1], "other")
        assert api.outcomes(2)[1][1]["result"] == "new"


def test_what_the_old_configuration_is_claiming_at_a_reload_is_reported_too(tmp_path: Path) -> None:
    api, settings = FakeApi(), config(tmp_path, max_concurrent=1)
    with running(api, lambda: settings) as run:
        for n, execution_id in enumerate(EXECUTIONS):
            run.daemon.tell(Reload())
            api.offer(execution_id)
            api.outcomes(n + 1)
    assert sorted(each for each, _ in api.outcomes(1)) == EXECUTIONS


def test_what_is_running_outlives_any_number_of_reloads(tmp_path: Path) -> None:
    begun, done = tmp_path / "begun", tmp_path / "done"
    line = f"touch {begun}; until [ -e {done} ]; do sleep 0.05; done; echo kept"
    early = config(tmp_path, handlers={"sync": line})
    last = config(tmp_path, handlers={"other": "echo the last configuration is read"})
    api, reads = FakeApi(), iter([early, early, early, last])
    api.offer(EXECUTIONS[0])
    with running(api, lambda: next(reads)) as run:
        until(begun.exists)
        for _ in range(3):
            run.daemon.tell(Reload())
        api.offer(EXECUTIONS[1], "other")
        api.outcomes(1)
        done.touch()
        outcomes = dict(api.outcomes(2))
    assert outcomes[EXECUTIONS[0]]["result"] == "kept"


def test_a_task_runs_only_as_often_at_once_as_it_may(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    line = f"mkdir {lock} && sleep 0.05 && rmdir {lock}"
    handlers = {"sync": {"cmd": line, "concurrency": 1}, "other": "true"}
    api, settings = FakeApi(), config(tmp_path, handlers=handlers, max_concurrent=4)
    for execution_id in EXECUTIONS[:6]:
        api.offer(execution_id)
    for execution_id in EXECUTIONS[6:]:
        api.offer(execution_id, "other")
    with running(api, lambda: settings):
        outcomes = api.outcomes(len(EXECUTIONS))
    assert [each["error"] for _, each in outcomes if not each["success"]] == []


def test_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    api, reads = FakeApi(), iter([True, False])

    def read() -> Config:
        if next(reads):
            return config(tmp_path)
        raise WorkerError("is no YAML")

    with running(api, read) as run:
        run.daemon.tell(Reload())
        api.offer(EXECUTIONS[0])
        assert api.outcomes(1)[0][1]["success"] is True


def test_after_the_drain_running_commands_are_ended_and_not_reported(tmp_path: Path) -> None:
    api, begun = FakeApi(), tmp_path / "begun"
    line = f"touch {begun}; exec sleep 600"
    settings = config(
        tmp_path,
        drain=0.2,
        handlers={"slow": line, "sync": f"until [ -e {begun} ]; do sleep 0.05; done"},
    )
    api.offer(EXECUTIONS[0], "slow")
    api.offer(EXECUTIONS[1], "sync")
    with running(api, lambda: settings) as run:
        api.outcomes(1)
        assert run.stop() is False
    assert [execution_id for execution_id, _ in api.outcomes(1)] == [EXECUTIONS[1]]


def test_a_key_that_ends_is_replaced_by_signing_in(tmp_path: Path) -> None:
    api, settings = FakeApi(), config(tmp_path)
    api.refused_keys["cue_sk_test"] = "key_rotated"
    codes = []

    def recover(config: Config, refused: AuthenticationError) -> Access:
        codes.append(refused.code)
        return replace(access_of(config, ENVIRON), api_key="cue_sk_new")

    with running(api, lambda: settings, recover=recover):
        api.offer(EXECUTIONS[0])
        api.outcomes(1)
    assert codes == ["key_rotated"]
    assert api.keys == {"cue_sk_test", "cue_sk_new"}


def test_a_key_that_ends_for_good_ends_the_daemon(tmp_path: Path) -> None:
    api, settings = FakeApi(), config(tmp_path)
    api.refused_keys["cue_sk_test"] = "key_revoked"
    with running(api, lambda: settings) as run:
        run.wait()
    assert str(run.failure) == "no recovery from key_revoked"


def test_health_and_metrics_tell_what_happens(tmp_path: Path) -> None:
    api, address = FakeApi(), f"127.0.0.1:{free_port()}"
    settings = config(
        tmp_path, listen=address, metrics=True, handlers={"sync": "true", "bad": "exit 1"}
    )
    api.offer(EXECUTIONS[0])
    api.offer(EXECUTIONS[1], "bad")
    with running(api, lambda: settings), httpx.Client(base_url=f"http://{address}") as watcher:
        api.outcomes(2)
        health = watcher.get("/healthz")
        metrics = watcher.get("/metrics").text
        assert watcher.get("/else").status_code == 404
    assert health.status_code == 200
    assert health.json()["status"] == "ok"
    assert health.json()["worker_id"] == "w1"
    assert 'cueapi_worker_jobs_total{task="sync",result="success"} 1' in metrics
    assert 'cueapi_worker_jobs_total{task="bad",result="failure"} 1' in metrics
    assert 'cueapi_worker_api_answers_total{status="200"}' in metrics


def test_an_api_that_does_not_answer_is_no_health(tmp_path: Path) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    address = f"127.0.0.1:{free_port()}"
    settings = config(tmp_path, listen=address)
    transport = httpx.HTTPTransport(retries=5)
    with (
        running(FakeApi(), lambda: settings, transport=httpx.MockTransport(refuse)),
        httpx.Client(base_url=f"http://{address}", transport=transport) as watcher,
    ):
        health = watcher.get("/healthz")
        assert watcher.get("/metrics").status_code == 404
    assert (health.status_code, health.json()["status"]) == (503, "unreachable")


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    api, settings = FakeApi(), config(tmp_path, listen=f"127.0.0.1:{free_port()}")
    with running(api, lambda: settings):
        api.offer(EXECUTIONS[0])
        api.outcomes(1)
        with running(api, lambda: settings) as second:
            second.wait()
    assert "cannot listen" in str(second.failure)

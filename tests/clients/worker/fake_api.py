"""An API that gives out jobs and takes outcomes, without any network."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from threading import Condition
from typing import Any

import httpx

WAIT_SECONDS = 0.2


class FakeApi:
    """Answers a worker's calls. `routes` come first: an answer by method and path."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._jobs: deque[dict[str, Any]] = deque()
        self._outcomes: list[tuple[str, dict[str, Any]]] = []
        self.keys: set[str] = set()
        self.refused_keys: dict[str, str] = {}
        self.beats: list[dict[str, Any]] = []
        self.routes: dict[str, Callable[[httpx.Request], httpx.Response]] = {}
        self.outcome_status = 200

    @property
    def transport(self) -> httpx.MockTransport:
        """What brings requests here."""
        return httpx.MockTransport(self._answer)

    def offer(self, execution_id: str, task: str = "sync", **payload: Any) -> None:
        """Have a job to be claimed."""
        with self._changed:
            self._jobs.append({"id": execution_id, "payload": {"task": task, **payload}})
            self._changed.notify_all()

    def outcomes(self, count: int) -> list[tuple[str, dict[str, Any]]]:
        """Wait until so many outcomes came; an AssertionError after 20 s."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._outcomes) >= count, 20)
            return [*self._outcomes]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with self._changed:
            self.keys.add(key)
        path = request.url.path
        route = self.routes.get(f"{request.method} {path}")
        if route is not None:
            return route(request)
        if key in self.refused_keys:
            return refusal(401, self.refused_keys[key])
        body = json.loads(request.content or b"{}")
        if path == "/v1/executions/claim":
            return self._claim(body)
        if path.endswith("/outcome"):
            return self._take(path.split("/")[3], body)
        if path == "/v1/worker/heartbeat":
            self.beats.append(body)
        if request.method == "GET" and path.startswith("/v1/executions/"):
            return httpx.Response(200, json={"id": path.split("/")[3], "cue_id": "cue_1"})
        return httpx.Response(200, json={"acknowledged": True})

    def _claim(self, body: Mapping[str, Any]) -> httpx.Response:
        with self._changed:
            wanted = body.get("tasks") or [task for task in [body.get("task")] if task]
            self._changed.wait_for(lambda: self._next(wanted), WAIT_SECONDS)
            job = self._next(wanted)
            if job is None:
                return refusal(409, "claim_failed")
            self._jobs.remove(job)
        claim = {
            "claimed": True,
            "execution_id": job["id"],
            "worker_id": body["worker_id"],
            "lease_seconds": body.get("lease_seconds", 900),
            "lease_expires_at": "2030-01-01T00:00:00Z",
            "attempt": 1,
            "payload": job["payload"],
        }
        return httpx.Response(200, json=claim)

    def _next(self, tasks: Sequence[str]) -> dict[str, Any] | None:
        fit = (job for job in self._jobs if not tasks or job["payload"]["task"] in tasks)
        return next(fit, None)

    def _take(self, execution_id: str, body: dict[str, Any]) -> httpx.Response:
        with self._changed:
            self._outcomes.append((execution_id, body))
            self._changed.notify_all()
        if self.outcome_status != 200:
            return refusal(self.outcome_status, "unavailable")
        return httpx.Response(200, json={"outcome_recorded": True})


def refusal(status: int, code: str) -> httpx.Response:
    """An answer that refuses."""
    error = {"code": code, "message": code.replace("_", " "), "status": status}
    return httpx.Response(status, json={"error": error})

"""A server that hands out executions and records outcomes, for a worker on a mock transport."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from threading import Condition
from typing import Any, Literal

import httpx
from cueapi import CueAPI

from tests.clients.sdk.fakes import refusal

LIMIT_SECONDS = 20.0


class JobServer:
    """Answers claims from `queues`, one for each task.

    `claims_next` false knows only polling; `several` tells what an older release makes of a claim
    that lists tasks: it refuses or ignores them.
    """

    def __init__(
        self, *, claims_next: bool = True, several: Literal["takes", "refuses", "ignores"] = "takes"
    ) -> None:
        self.queues: dict[str, deque[dict[str, Any]]] = {}
        self.outcomes: dict[str, dict[str, Any]] = {}
        self.beats: list[str] = []
        self.handlers: list[list[str]] = []
        self.claims: list[dict[str, Any]] = []
        self.refusals: deque[httpx.Response] = deque()
        self.lost: set[str] = set()
        self._claims_next = claims_next
        self._several = several
        self._changed = Condition()

    def add(self, execution_id: str, payload: Mapping[str, Any], **claim: str) -> None:
        """Have an execution done; `claim` is what the claim's answer says besides."""
        job = {"execution_id": execution_id, "payload": dict(payload), **claim}
        with self._changed:
            self.queues.setdefault(payload["task"], deque()).append(job)

    def client(self) -> CueAPI:
        http = httpx.Client(transport=httpx.MockTransport(self.handle))
        return CueAPI("key", base_url="http://api", http_client=http)

    def wait_for(self, what: str, *ids: str) -> None:
        """Wait until these have an outcome, or a beat."""
        known = {"outcome": self.outcomes, "beat": self.beats}[what]
        self.wait_until(lambda: all(each in known for each in ids))

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, which is looked at after each request."""
        with self._changed:
            assert self._changed.wait_for(holds, LIMIT_SECONDS), (self.outcomes, self.beats)

    def handle(self, request: httpx.Request) -> httpx.Response:
        with self._changed:
            answer = self._answer(request)
            self._changed.notify_all()
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content or b"{}")
        match request.url.path.removeprefix("/v1/").split("/"):
            case ["worker", "heartbeat"]:
                self.handlers.append(body["handlers"])
                return httpx.Response(200, json={"acknowledged": True})
            case ["executions", "claim"] if self._claims_next:
                return self._claim_next(body)
            case ["executions", "claim"]:
                return refusal(404, "not_found")
            case ["executions", "claimable"]:
                return self._claimable(request.url.params["task"])
            case ["executions", execution_id, "claim"]:
                queue = next(q for q in self.queues.values() if q and _is(q[0], execution_id))
                return self._claim(body, queue)
            case ["executions", execution_id, "heartbeat"]:
                self.beats.append(execution_id)
                if execution_id in self.lost:
                    return refusal(403, "not_execution_owner")
                return httpx.Response(200, json={"acknowledged": True})
            case ["executions", execution_id, "outcome"]:
                if self.refusals:
                    return self.refusals.popleft()
                assert execution_id not in self.outcomes, "an outcome is reported once"
                self.outcomes[execution_id] = body
                return httpx.Response(200, json={"outcome_recorded": True})
            case _:
                raise AssertionError(f"nobody calls {request.url.path}")

    def _claim_next(self, body: dict[str, Any]) -> httpx.Response:
        if "tasks" in body and self._several == "refuses":
            self.claims.append(body)
            return refusal(422, "validation_error")
        return self._claim(body, self.queues.get(str(body.get("task"))) or self._any(body))

    def _any(self, body: dict[str, Any]) -> deque[dict[str, Any]] | None:
        if "task" in body:
            return None
        wanted = body.get("tasks") if self._several == "takes" else None
        queues = (q for task, q in self.queues.items() if wanted is None or task in wanted)
        return next(filter(None, queues), None)

    def _claim(self, body: dict[str, Any], queue: deque[dict[str, Any]] | None) -> httpx.Response:
        self.claims.append(body)
        if not queue:
            return refusal(409, "claim_failed")
        lease = {"lease_seconds": body["lease_seconds"], "attempt": 1, "claimed": True}
        return httpx.Response(200, json={**queue.popleft(), **lease})

    def _claimable(self, task: str) -> httpx.Response:
        found = [{**job, "cue_id": "cue_1", "cue_name": "a"} for job in self.queues.get(task, ())]
        return httpx.Response(200, json={"executions": found})


def _is(job: dict[str, Any], execution_id: str) -> bool:
    return bool(job["execution_id"] == execution_id)

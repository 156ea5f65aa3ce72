"""The API at the transport: answers as told, and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.clients.cli.contract import faults

Answering = Callable[[httpx.Request], httpx.Response]

HOOK_PATH = "/hook"
"""Where the handler on this machine is, behind the same transport."""

CUE = {
    "id": "cue_x7k9m2p4q8w1",
    "name": "morning",
    "description": None,
    "status": "active",
    "transport": "webhook",
    "schedule": {"type": "recurring", "cron": "0 9 * * *", "at": None, "timezone": "UTC"},
    "callback": {"url": "https://example.com/hook", "method": "POST", "headers": {}},
    "payload": {"task": "brief"},
    "retry": {"max_attempts": 3, "backoff_minutes": [1, 5, 15]},
    "delivery": {"timeout_seconds": 30, "outcome_deadline_seconds": 300},
    "alerts": {"consecutive_failures": 3, "missed_window_multiplier": 2},
    "catch_up": "run_once_if_missed",
    "verification": {"mode": "none"},
    "on_failure": {"email": True, "webhook": None, "pause": False},
    "next_run": "2026-03-28T09:00:00Z",
    "last_run": None,
    "run_count": 0,
    "fired_count": 0,
    "warning": None,
    "created_at": "2026-03-27T18:00:00Z",
    "updated_at": "2026-03-27T18:00:00Z",
}
RUN = {
    "id": "550e8400-e29b-41d4-a716-446655440000",
    "cue_id": CUE["id"],
    "cue_name": "morning",
    "status": "success",
    "scheduled_for": "2026-03-28T13:00:00Z",
    "payload": {"task": "brief"},
    "attempts": 1,
    "http_status": 200,
    "error_message": None,
    "outcome_state": "reported_success",
    "outcome_success": True,
    "outcome": {"success": True, "result": "sent", "error": None},
    "outcome_deadline_at": None,
    "started_at": "2026-03-28T13:00:00Z",
    "claimed_by_worker": None,
}


@dataclass
class FakeApi:
    """Give an answer for `METHOD /path` (a document, a response, or a function); 404 for others.

    A list is given one after the other, the last one again and again. `under` is for paths of
    which only the beginning is known.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    under: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    @property
    def sent(self) -> Any:
        """The JSON of the last request."""
        return json.loads(self.requests[-1].content)

    @property
    def asked(self) -> list[str]:
        return [f"{each.method} {each.url.path}" for each in self.requests]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path != HOOK_PATH:
            self.faults += faults(request)
        asked = f"{request.method} {request.url.path}"
        beginnings = (told for begin, told in self.under.items() if asked.startswith(begin))
        told = self.answers.get(asked) or next(beginnings, None)
        if isinstance(told, list):
            told = told.pop(0) if len(told) > 1 else told[0]
        if callable(told):
            told = told(request)
        if isinstance(told, httpx.Response):
            return told
        if told is None:
            return refusal(404, "not_found", "there is nothing at this path")
        status = 201 if request.method == "POST" and request.url.path == "/v1/cues" else 200
        return httpx.Response(status, json=told)


def refusal(status: int, code: str, message: str, **more: Any) -> httpx.Response:
    error = {"code": code, "message": message, "status": status, "request_id": "req-1", **more}
    return httpx.Response(status, json={"error": error})


def events(*documents: dict[str, Any]) -> httpx.Response:
    """A stream of server-sent events."""
    blocks = ["retry: 2000\nid: 7-0\n\n"]
    blocks += [f"data: {json.dumps(d)}\nid: 7-{n}\n\n" for n, d in enumerate(documents, start=1)]
    headers = {"content-type": "text/event-stream"}
    return httpx.Response(200, text="".join(blocks), headers=headers)

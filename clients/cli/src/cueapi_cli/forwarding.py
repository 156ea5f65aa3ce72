"""Handing a delivery to a handler on this machine, and reading its answer as the server would."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import httpx

from cueapi_cli.signing import Delivery

EVIDENCE = ("external_id", "result_url", "result_ref", "result_type", "summary", "artifacts")
LONGEST_TEXT = 8_000


@dataclass(frozen=True)
class Answer:
    """What the handler said; `status` is None when it said nothing."""

    status: int | None
    seconds: float
    body: str = ""
    error: str = ""

    @property
    def good(self) -> bool:
        """Whether the server would take it as delivered."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def words(self) -> str:
        """The answer in a few words."""
        said = str(self.status) if self.status is not None else self.error
        return f"{said} in {self.seconds * 1000:.0f} ms"


def handed(http: httpx.Client, url: str, delivery: Delivery) -> Answer:
    """Send a delivery to a handler."""
    begun = time.monotonic()
    try:
        headers = dict(delivery.headers)
        response = http.request(delivery.method, url, content=delivery.body, headers=headers)
    except (httpx.TransportError, httpx.InvalidURL) as failure:
        said = str(failure) or type(failure).__name__
        return Answer(None, time.monotonic() - begun, error=said)
    return Answer(response.status_code, time.monotonic() - begun, response.text)


def outcome_of(answer: Answer) -> dict[str, Any]:
    """Make the outcome that an answer stands for: its own, if it tells one, else by its status."""
    if not answer.good:
        return {"success": False, "error": answer.words}
    try:
        told = json.loads(answer.body)
    except ValueError:
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("success"), bool):
        return {"success": True, "result": answer.body[:LONGEST_TEXT] or None}
    kept = ("success", "result", "error", "metadata", *EVIDENCE)
    return {name: told[name] for name in kept if told.get(name) is not None}

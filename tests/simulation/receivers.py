"""Those who are told: callbacks with moods, alert webhooks, and mailboxes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from libs.runtime.http.exchange import Response
from libs.runtime.mail.letters import Letter
from libs.runtime.mail.sending import NotSent
from services.dispatcher.adapters.webhook import Attempt, Exchange, Sent, classified
from services.dispatcher.decider.attempts import NotAcknowledged
from tests.simulation.engine import CALM, Clock, Killed, Process

MOODS = ("good", "good", "good", "good", "flaky", "flaky", "dead")
MOOD_SECONDS = 6 * 3600.0
TIMED_OUT = Sent(result=NotAcknowledged(error="timeout", message="no answer in time"))


class Posted:
    """One request that a receiver got."""

    def __init__(self, attempt: Attempt, at: float) -> None:
        self.execution_id = attempt.facts.id
        self.epoch = attempt.epoch
        self.at = at


class Receiver:
    """All receivers of webhooks. `on_acknowledged` hears of work that was taken and not ended."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.posted: list[Posted] = []
        self.on_acknowledged: Callable[[Attempt], None] = lambda _: None
        self._moods: dict[str, tuple[float, str]] = {}

    def of(self, process: Process) -> Callback:
        """Give the port as one process has it: what is on its wire dies with it."""
        return Callback(self, process)

    def hooks_of(self, process: Process) -> AlertHook:
        """Give the port of alert webhooks to one process."""
        return AlertHook(self.clock, process)

    def mood(self, host: str) -> str:
        """Say how a host feels now."""
        if self.clock.faults is CALM:
            return "good"
        until, mood = self._moods.get(host, (0.0, "good"))
        if until < self.clock.loop.time():
            mood = self.clock.dice.choice(MOODS)
            until = self.clock.loop.time() + self.clock.dice.expovariate(1 / MOOD_SECONDS)
            self._moods[host] = (until, mood)
        return mood


class Callback:
    """The dispatcher's port."""

    def __init__(self, receiver: Receiver, process: Process) -> None:
        self._receiver = receiver
        self._process = process
        self._dice = receiver.clock.dice
        self.on_answer: Callable[[], None] = lambda: None

    def host_of(self, url: str | None) -> str:
        """Name the destination."""
        return urlsplit(url or "").netloc

    async def send(self, attempt: Attempt) -> Sent:
        """Post, and answer in some mood."""
        clock = self._receiver.clock
        if not self._process.alive:
            raise Killed
        self._receiver.posted.append(Posted(attempt, clock.loop.time()))
        clock.tell(f"POST {attempt.facts.id} attempt {attempt.epoch}")
        sent = await self._answer(attempt, self._receiver.mood(self.host_of(_url(attempt))))
        if not self._process.alive:
            raise Killed
        self.on_answer()
        return sent

    async def exchange(self, attempt: Attempt, timeout: float) -> Exchange:
        """Test deliveries are not simulated."""
        raise NotImplementedError

    async def _answer(self, attempt: Attempt, mood: str) -> Sent:
        draw = self._dice.random()
        bad = {"good": 0.03, "flaky": 0.5, "dead": 0.97}[mood]
        if draw < bad / 4:
            await asyncio.sleep(attempt.settings.delivery.timeout_seconds)
            return TIMED_OUT
        await asyncio.sleep(self._dice.uniform(0.01, 3.0))
        if draw < bad:
            status = self._dice.choice((400, 404, 429, 500, 503))
            after = self._dice.choice(("", "90", "1200", "soon"))
            return classified(_response(status, {"Retry-After": after} if after else {}, b""))
        body = b""
        if self._dice.random() < 0.4:
            body = _outcome(self._dice.random() < 0.9, self._dice.random() < 0.5)
        else:
            self._receiver.on_acknowledged(attempt)
        return classified(_response(200, {}, body))


def _url(attempt: Attempt) -> str | None:
    return attempt.settings.callback.url


def _outcome(success: bool, evident: bool) -> bytes:
    evidence = {"external_id": "42", "result_url": "https://x.example.com/42"} if evident else {}
    told = {} if success else {"error": "it did not work"}
    return json.dumps({"success": success, **evidence, **told}).encode()


def _response(status: int, headers: Mapping[str, str], body: bytes) -> Response:
    return Response(status=status, headers=headers, body=body, truncated=False, body_complete=True)


class AlertHook:
    """The alerts service's port."""

    def __init__(self, clock: Clock, process: Process) -> None:
        self._clock = clock
        self._process = process

    async def send(
        self, url: str, content: Mapping[str, Any], secrets: tuple[str, ...]
    ) -> str | None:
        """Hear, or not."""
        await asyncio.sleep(self._clock.dice.uniform(0.01, 8.0))
        if not self._process.alive:
            raise Killed
        if self._clock.faults is not CALM and self._clock.dice.random() < 0.2:
            return "the webhook answered with an error status (500)"
        return None


class Mailbox:
    """The mail server's port."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.letters: list[tuple[float, Letter]] = []

    async def send(self, letter: Letter) -> None:
        """Keep it, or refuse it."""
        await asyncio.sleep(self._clock.dice.uniform(0.01, 3.0))
        if self._clock.faults is not CALM and self._clock.dice.random() < 0.1:
            raise NotSent("try again later")
        self.letters.append((self._clock.loop.time(), letter))

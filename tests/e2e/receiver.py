"""A receiver of webhooks whose answers a test scripts, and which records all that arrives."""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import web

from deploy.local.receiver import is_signed
from tests.e2e.waiting import eventually

_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    """What a hook answers: after `delay` seconds, or never if it hangs until it is let go."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hangs: bool = False


@dataclass
class Arrival:
    """One POST as it arrived. `answered` is the status that went out; None while none has."""

    method: str
    headers: Mapping[str, str]
    body: bytes
    verified: bool
    at: datetime
    answered: int | None = None

    @property
    def execution_id(self) -> str:
        """The execution that it says it delivers."""
        return self.headers["X-CueAPI-Execution-Id"]

    @property
    def attempt(self) -> int:
        """The attempt that it says it is."""
        return int(self.headers["X-CueAPI-Attempt"])

    @property
    def is_test(self) -> bool:
        """Whether it says that it belongs to no execution."""
        return self.headers.get("X-CueAPI-Test") == "true"

    @property
    def document(self) -> Any:
        """The JSON in its body."""
        return json.loads(self.body)


class Hook:
    """One callback URL: what arrived there, and what it answers.

    The answers in `script` are used up first, then `answer` is given to all. `canary` is a secret
    to send along, which must be found nowhere else.
    """

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self.answer = Answer()
        self.script: deque[Answer] = deque()
        self.canary = "canary-" + secrets.token_hex(16)
        self.arrivals: list[Arrival] = []
        self._secret = secret
        self._let_go = asyncio.Event()

    def let_go(self) -> None:
        """End all answers that hang."""
        self._let_go.set()

    async def arrival(self, number: int = 1) -> Arrival:
        """Wait until so many requests have arrived, and return the last of them."""

        async def look() -> Arrival | None:
            return self.arrivals[number - 1] if len(self.arrivals) >= number else None

        return await eventually(look, f"{number} requests at {self.url}: {len(self.arrivals)}")

    async def take(self, request: web.Request) -> web.Response:
        """Record a request and answer it."""
        at = datetime.now(UTC)
        body = await request.read()
        signed = is_signed(self._secret, request.headers, body, int(at.timestamp()))
        arrival = Arrival(request.method, request.headers.copy(), body, signed, at)
        self.arrivals.append(arrival)
        answer = self.script.popleft() if self.script else self.answer
        if answer.hangs:
            await self._let_go.wait()
        elif answer.delay:
            await asyncio.sleep(answer.delay)
        arrival.answered = answer.status
        text = "" if answer.body is None else json.dumps(answer.body)
        return web.Response(status=answer.status, text=text, headers=answer.headers)


class Receiver:
    """Serves hooks on a free port of the loopback address while in its `async with`."""

    def __init__(self) -> None:
        self.hooks: dict[str, Hook] = {}
        self._port = 0
        app = web.Application()
        app.router.add_route("*", "/{name}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, _HOST, 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for hook in self.hooks.values():
            hook.let_go()
        await self._runner.cleanup()

    @property
    def arrivals(self) -> list[Arrival]:
        """Everything that arrived at any hook."""
        return [arrival for hook in self.hooks.values() for arrival in hook.arrivals]

    def hook(self, secret: str) -> Hook:
        """Make a callback whose deliveries are to be signed with `secret`."""
        name = secrets.token_hex(8)
        hook = self.hooks[name] = Hook(f"http://{_HOST}:{self._port}/{name}", secret)
        return hook

    async def _take(self, request: web.Request) -> web.StreamResponse:
        return await self.hooks[request.match_info["name"]].take(request)

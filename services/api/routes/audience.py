"""Who listens to the event stream here, and what wakes them: the broker's notices.

Nobody's stream reads the log until something has happened to its account. A notice may be lost, or
the broker be away: so the log is also looked at every few seconds, once for all who listen here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec
import structlog

from libs.events.envelope import Undecodable, decode
from libs.runtime.ids import jittered
from libs.runtime.postgres import Unavailable
from libs.runtime.supervisor import stopping
from services.api.errors import ApiError, unavailable
from services.api.queries.events import accounts_after, horizon
from services.api.queries.pages import Reads

log = structlog.get_logger()

STREAMS_PER_KEY = 5
STREAMS_HERE = 1_000
FALLBACK_SECONDS = 2.0
RETRY_SECONDS = 5


class About(msgspec.Struct):
    """What of a notice matters here."""

    account_id: str


class Listener:
    """One open stream. `news` is set when there may be something for it."""

    def __init__(self, account_id: str, key_id: str | None) -> None:
        self.account_id = account_id
        self.key_id = key_id
        self.news = asyncio.Event()
        self.dismissed = False


class Audience:
    """The streams that are open in this process, at most `STREAMS_PER_KEY` of one key."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = {}
        self._of_key: Counter[str] = Counter()
        self._anybody = asyncio.Event()
        self._closed = False

    @contextmanager
    def seat(self, account_id: str, key_id: str | None) -> Iterator[Listener]:
        """Take a place for as long as a stream is open. Raises ApiError when none is left."""
        key = key_id or account_id
        self._refuse_if_full(key)
        listener = Listener(account_id, key_id)
        self._listeners.setdefault(account_id, set()).add(listener)
        self._of_key[key] += 1
        self._anybody.set()
        try:
            yield listener
        finally:
            self._leave(listener, key)

    def hear(self, body: bytes) -> None:
        """Wake those whom the notices in a message are about."""
        if not self._listeners:
            return
        try:
            notices = decode(body, list[About])
        except Undecodable as error:
            log.warning("a notice could not be read", error=str(error))
            return
        for account_id in {notice.account_id for notice in notices}:
            self.wake(account_id)

    def wake(self, account_id: str) -> None:
        """Have the streams of an account look."""
        for listener in self._listeners.get(account_id, ()):
            listener.news.set()

    def dismiss(self) -> None:
        """End every stream, and let no new one begin."""
        self._closed = True
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.dismissed = True
                listener.news.set()

    async def attended(self) -> None:
        """Wait until somebody listens."""
        await self._anybody.wait()

    def _refuse_if_full(self, key: str) -> None:
        if self._closed or self._of_key.total() >= STREAMS_HERE:
            raise unavailable("the event stream")
        if self._of_key[key] >= STREAMS_PER_KEY:
            raise ApiError(
                "rate_limit_exceeded",
                f"this key has {STREAMS_PER_KEY} event streams open, which is the most at a time;"
                " close one first",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )

    def _leave(self, listener: Listener, key: str) -> None:
        others = self._listeners[listener.account_id]
        others.discard(listener)
        if not others:
            del self._listeners[listener.account_id]
        self._of_key -= Counter([key])
        if not self._listeners:
            self._anybody.clear()


class Lookout:
    """A part of the process: wakes the audience when no notice has; ends all streams at the end."""

    name = "event streams"

    def __init__(self, audience: Audience, store: Reads) -> None:
        self._audience = audience
        self._store = store

    async def run(self) -> None:
        """Look while somebody listens, until cancelled."""
        try:
            while not stopping():
                await self._audience.attended()
                with suppress(Unavailable):  # the streams themselves tell their listeners
                    await self._while_attended()
                await asyncio.sleep(jittered(FALLBACK_SECONDS))
        finally:
            self._audience.dismiss()

    async def _while_attended(self) -> None:
        position = await horizon(self._store)
        while not stopping():
            await asyncio.sleep(jittered(FALLBACK_SECONDS))
            await self._audience.attended()
            accounts, position = await accounts_after(self._store, position)
            for account_id in accounts:
                self._audience.wake(account_id)

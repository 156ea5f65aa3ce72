"""Mail from the api: sign-in links and security mail. Posted now, sent in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol

import structlog

from libs.runtime.ids import jittered
from libs.runtime.mail.letters import Letter, write
from libs.runtime.mail.sending import NotSent
from services.api.rules.letters import CONTENTS

log = structlog.get_logger()

MOST_WAITING = 1_000
RETRY_SECONDS = (2.0, 10.0)


class Mail(NamedTuple):
    """A mail to write: `template` names one of `CONTENTS`, `facts` is what it says."""

    to: str
    template: str
    facts: Mapping[str, Any] = {}


class MailQueue(Protocol):
    """The port: takes mail, and never keeps or fails the request that caused it."""

    def post(self, mail: Mail) -> None:
        """Have a mail sent."""
        ...


class MailRoom:
    """Sends what was posted, one after the other; `send` raises `NotSent`.

    A letter that is not taken is tried again twice, then told in the log without its content.
    """

    name = "mail"

    def __init__(
        self,
        send: Callable[[Letter], Awaitable[None]],
        retry_seconds: tuple[float, ...] = RETRY_SECONDS,
    ) -> None:
        self._send = send
        self._retry_seconds = retry_seconds
        self._waiting: asyncio.Queue[Mail] = asyncio.Queue(MOST_WAITING)

    def post(self, mail: Mail) -> None:
        """Have a mail sent; too many at once are refused, and told in the log."""
        try:
            self._waiting.put_nowait(mail)
        except asyncio.QueueFull:
            log.error("a mail was not sent: too many wait", template=mail.template)

    async def run(self) -> None:
        """Send until cancelled; then what waits is tried once more."""
        try:
            while True:
                await self._deliver(await self._waiting.get(), self._retry_seconds)
        except asyncio.CancelledError:
            while not self._waiting.empty():
                await self._deliver(self._waiting.get_nowait(), ())
            raise

    async def _deliver(self, mail: Mail, retry_seconds: tuple[float, ...]) -> None:
        letter = letter_of(mail)
        for wait in (*retry_seconds, None):
            try:
                await self._send(letter)
            except NotSent as error:
                log.warning("a mail was not taken", template=mail.template, error=str(error))
                if wait is not None:
                    await asyncio.sleep(jittered(wait))
            else:
                return
        log.error("a mail was not sent", template=mail.template)


def letter_of(mail: Mail) -> Letter:
    """Write a mail."""
    return write(mail.to, CONTENTS[mail.template](**mail.facts))

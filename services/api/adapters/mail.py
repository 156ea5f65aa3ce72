"""Mail from the api: sign-in links and security mail. Posted now, sent in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from libs.runtime.ids import jittered

log = structlog.get_logger()

MOST_WAITING = 1_000
RETRY_SECONDS = (2.0, 10.0)


class Mail(NamedTuple):
    """A mail to write: `template` is one of `mails/*.txt`, `facts` is what it says."""

    to: str
    template: str
    facts: Mapping[str, Any] = {}


class Letter(NamedTuple):
    """A mail as it goes out, in plain text."""

    to: str
    subject: str
    text: str


class NotSent(Exception):
    """The mail server did not take the letter."""


class Mailer(Protocol):
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


async def write_to_log(letter: Letter) -> None:
    """Where no mail server is configured: the letter itself is told (contract §11)."""
    log.info("mail", to=letter.to, subject=letter.subject, text=letter.text)


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "mails"),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - plain text
    keep_trailing_newline=True,
)


def letter_of(mail: Mail) -> Letter:
    """Write a mail: the template's first line is the subject."""
    written = _TEMPLATES.get_template(f"{mail.template}.txt").render(mail.facts)
    subject, _, text = written.partition("\n")
    return Letter(mail.to, subject.strip(), text.lstrip("\n"))

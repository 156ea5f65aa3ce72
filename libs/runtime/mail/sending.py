"""The port through which mail leaves, its form where no server is configured, and its twin."""

from __future__ import annotations

from typing import Protocol

import structlog

from libs.runtime.mail.letters import Letter

log = structlog.get_logger()

SEND_SECONDS = 10.0
MAX_REASON = 500
LONG_WORD = 16


class NotSent(Exception):
    """The mail server did not take the letter."""


class Mailer(Protocol):
    """The port: sends one letter within `SEND_SECONDS`. Raises `NotSent`."""

    async def send(self, letter: Letter) -> None:
        """Send it; `NotSent` tells why not, without the address, the text or a password."""
        ...


class LogMailer:
    """The port where no server is configured: the letter itself is told (contract §11)."""

    async def send(self, letter: Letter) -> None:
        """Write it to the log."""
        log.info("mail", to=letter.to, subject=letter.subject, text=letter.text)


class MemoryMailer:
    """The port's twin for tests: keeps what it takes, and refuses all with `refusal` if given."""

    def __init__(self, refusal: str | None = None) -> None:
        self.letters: list[Letter] = []
        self.refusal = refusal

    async def send(self, letter: Letter) -> None:
        """Keep it."""
        if self.refusal is not None:
            raise NotSent(self.refusal)
        self.letters.append(letter)


def refused(said: object, letter: Letter, *private: str) -> NotSent:
    """Make the error out of what a server said, with all that is private cut out of it.

    Some servers quote the letter, and its links may let whoever has them in.
    """
    text = str(said)
    quoted = (word for word in letter.text.split() if len(word) >= LONG_WORD)
    for part in sorted(filter(None, (letter.to, *quoted, *private)), key=len, reverse=True):
        text = text.replace(part, "***")
    return NotSent(f"the mail server did not take it: {text}"[:MAX_REASON])

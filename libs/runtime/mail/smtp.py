"""Letters over SMTP."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from email.utils import formatdate
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import aiosmtplib

from libs.runtime.mail.letters import Letter
from libs.runtime.mail.sending import SEND_SECONDS, NotSent, refused


class SmtpServer(NamedTuple):
    """A mail server, and who we are to it; `tls` from the first byte on, else when offered."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str | None = None


def smtp_server(url: str) -> SmtpServer:
    """Read `smtp://user:password@host:port`, or `smtps://` for TLS from the first byte on.

    Raises ValueError when it is neither.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("a mail server is smtp://user:password@host:port, or smtps://...")
    tls = parts.scheme == "smtps"
    return SmtpServer(
        host=parts.hostname,
        port=parts.port or (465 if tls else 587),
        tls=tls,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


class SmtpMailer:
    """Sends each letter in a connection of its own. `sender` may have a name before its address."""

    def __init__(self, server: SmtpServer, sender: str, *, timeout: float = SEND_SECONDS) -> None:
        self._server = server
        self._sender = sender
        self._timeout = timeout

    async def send(self, letter: Letter) -> None:
        """Send it. Raises NotSent."""
        server = self._server
        try:
            async with asyncio.timeout(self._timeout):
                await aiosmtplib.send(
                    message_of(letter, self._sender),
                    hostname=server.host,
                    port=server.port,
                    use_tls=server.tls,
                    username=server.user,
                    password=server.password,
                    timeout=self._timeout,
                )
        except TimeoutError as error:
            raise NotSent("the mail server did not take it in time") from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            # Not `from error`: its traceback and text may hold what is private.
            raise refused(error, letter, server.password or "") from None


def message_of(letter: Letter, sender: str) -> EmailMessage:
    """Give the letter as a message of both forms. Raises ValueError for an unusable address."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = formatdate(localtime=False)
    if letter.message_id:
        message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message

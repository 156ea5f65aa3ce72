"""Conversations with mail servers: over SMTP, or into the log when no server is configured."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from email.utils import formatdate
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog

from libs.events.base import Value
from services.alerts.rules.letters import Letter
from services.alerts.rules.pace import SEND_SECONDS

log = structlog.get_logger()


class Mailer(Protocol):
    """The port: sends one letter, never raises for what the server does."""

    async def send(self, letter: Letter) -> str | None:
        """Send it within `SEND_SECONDS`; give what went wrong, or None."""
        ...


class SmtpServer(Value):
    """A mail server, and who we are to it; `tls` from the first byte on, else when offered."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str | None = None


def smtp_server(url: str) -> SmtpServer:
    """Read `smtp://user:password@host:port`, or `smtps://` for TLS from the first byte on.

    Raises `ValueError` when it is neither.
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
    """The port over SMTP. `sender` is an address, with or without a name before it.

    What goes wrong is told without the address: it ends in the log of events, where none belongs.
    """

    def __init__(self, server: SmtpServer, sender: str, *, timeout: float = SEND_SECONDS) -> None:
        self._server = server
        self._sender = sender
        self._timeout = timeout

    async def send(self, letter: Letter) -> str | None:
        """Send it in a connection of its own."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._converse(_message(letter, self._sender))
        except TimeoutError:
            return "the mail server did not take it in time"
        except (aiosmtplib.SMTPException, OSError) as error:
            said = str(error).replace(letter.to, masked(letter.to))
            return f"the mail server did not take it: {said}"[:500]
        return None

    async def _converse(self, message: EmailMessage) -> None:
        server = self._server
        await aiosmtplib.send(
            message,
            hostname=server.host,
            port=server.port,
            use_tls=server.tls,
            username=server.user,
            password=server.password,
            timeout=self._timeout,
        )


class LogMailer:
    """The port where there is no server: what would be sent is told, without what is private."""

    async def send(self, letter: Letter) -> str | None:
        """Write it to the log."""
        log.info("mail", to=masked(letter.to), subject=letter.subject, link=letter.link)
        return None


def masked(address: str) -> str:
    """Hide all of an address but its first letter and its domain."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"


def _message(letter: Letter, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message

"""Letters over SMTP."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import formatdate
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import aiosmtplib

from services.api.adapters.mail import Letter, NotSent

SEND_SECONDS = 10.0


class SmtpServer(NamedTuple):
    """A mail server, and who we are to it; `tls` from the first byte on, else when offered."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None


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


class Smtp:
    """Sends each letter in a connection of its own. `sender` may have a name before its address."""

    def __init__(self, server: SmtpServer, sender: str) -> None:
        self._server = server
        self._sender = sender

    async def send(self, letter: Letter) -> None:
        """Send a letter within `SEND_SECONDS`. Raises NotSent."""
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Date"] = formatdate(localtime=False)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        server = self._server
        try:
            await aiosmtplib.send(
                message,
                hostname=server.host,
                port=server.port,
                use_tls=server.tls,
                username=server.user,
                password=server.password,
                timeout=SEND_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise NotSent(f"{type(error).__name__}: {error}"[:300]) from error

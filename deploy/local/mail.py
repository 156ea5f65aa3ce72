"""The local mail server: takes every mail, delivers none, and shows them on a page."""

import asyncio
import json
import re
import secrets
from collections import deque
from dataclasses import asdict, dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Handler
from aiosmtpd.smtp import SMTP
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deploy.local.ports import LOOPBACK, free_port, is_free
from deploy.local.processes import OnLine, discard
from libs.runtime.clock import utc_now

PAGE_PORT = 8025
KEPT = 200
_LARGEST_MAIL = 1024 * 1024
_LINK = re.compile(r"(https?://[^\s<>\"']*[^\s<>\"'.,;:!?)])")
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    undefined=StrictUndefined,
    autoescape=True,
)


@dataclass(frozen=True)
class Mail:
    """One mail as it arrived; `text` is its plain form."""

    number: int
    to: str
    subject: str
    text: str
    received_at: str


class MailSink:
    """Takes mail at `smtp_url` and shows the latest `KEPT` at `page_url` while in `async with`.

    `/` is for people, `/mails` the same as JSON, newest first. The page is at `PAGE_PORT` if that
    is free and was asked for by `well_known`. Only this machine is listened to, and only when it
    calls us by our own name: a web site whose name leads here must not read sign-in links.
    """

    def __init__(self, on_line: OnLine = discard, *, well_known: bool = False) -> None:
        self.mails: deque[Mail] = deque(maxlen=KEPT)
        page_port = PAGE_PORT if well_known and is_free(PAGE_PORT) else free_port()
        self._smtp_port = free_port()
        self.smtp_url = f"smtp://{LOOPBACK}:{self._smtp_port}"
        self.page_url = f"http://{LOOPBACK}:{page_port}"
        self._page_port = page_port
        self._on_line = on_line
        self._count = 0
        self._server: asyncio.Server | None = None
        app = web.Application(middlewares=[self._for_this_machine])
        app.router.add_get("/", self._show)
        app.router.add_get("/mails", self._tell)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Start to listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._conversation, LOOPBACK, self._smtp_port)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._page_port).start()

    async def stop(self) -> None:
        """Stop listening; nothing happens if it did not listen."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        """Do as `start`."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do as `stop`."""
        await self.stop()

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail that has come in."""
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        plain = message.get_body(("plain",))
        self._count += 1
        mail = Mail(
            number=self._count,
            to=", ".join(envelope.rcpt_tos),
            subject=str(message["Subject"] or ""),
            text="" if plain is None else plain.get_content(),
            received_at=utc_now().isoformat(timespec="seconds"),
        )
        self.mails.appendleft(mail)
        said = {"event": "mail received", "level": "info", "to": mail.to, "page": self.page_url}
        self._on_line("mail", json.dumps({**said, "service": "mail", "subject": mail.subject}))
        return "250 OK"

    def _conversation(self) -> SMTP:
        return SMTP(self, data_size_limit=_LARGEST_MAIL, enable_SMTPUTF8=True, hostname="localhost")

    async def _show(self, _: web.Request) -> web.Response:
        nonce = secrets.token_hex(16)
        rules = f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'"
        rules += "; form-action 'none'; frame-ancestors 'none'"
        shown = [(mail, pieces(mail.text)) for mail in self.mails]
        page = _PAGES.get_template("mails.html").render(mails=shown, nonce=nonce, kept=KEPT)
        headers = {
            "Content-Security-Policy": rules,
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(text=page, content_type="text/html", headers=headers)

    async def _tell(self, _: web.Request) -> web.Response:
        return web.json_response({"mails": [asdict(mail) for mail in self.mails]})

    @web.middleware
    async def _for_this_machine(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.host.rpartition(":")[0] not in (LOOPBACK, "localhost"):
            raise web.HTTPMisdirectedRequest(text=f"This page is at {self.page_url}/ only.")
        return await handler(request)


def pieces(text: str) -> list[tuple[str, bool]]:
    """Split a text into its links and what is between them; each with whether it is a link."""
    return [(part, bool(_LINK.fullmatch(part))) for part in _LINK.split(text) if part]

"""Mail from the api: written, posted, sent over SMTP, or told in the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from services.api.adapters.mail import Letter, Mail, MailRoom, NotSent, letter_of, write_to_log
from services.api.adapters.smtp import Smtp, SmtpServer, smtp_server

ROTATED = Mail(
    "you@example.com",
    "webhook_secret_rotated",
    {"which": "webhook secret", "until": None, "base_url": "https://api.example"},
)


class Sink:
    """Keeps what it is sent; refuses who is called `refused`."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address.startswith("refused"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.messages.append(parsed)
        return "250 OK"


@pytest.fixture
async def sink() -> AsyncIterator[tuple[Sink, Smtp]]:
    handler = Sink()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, loop=loop), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield handler, Smtp(smtp_server(f"smtp://127.0.0.1:{port}"), "CueAPI <no-reply@example.com>")
    server.close()
    await server.wait_closed()


def test_a_letter_is_written_from_its_template() -> None:
    letter = letter_of(ROTATED)
    assert letter.subject == "Your CueAPI webhook secret was replaced"
    assert "no longer signs" in letter.text
    facts = {**ROTATED.facts, "until": "2026-03-02T12:00:00Z"}
    assert "until 2026-03-02T12:00:00Z" in letter_of(ROTATED._replace(facts=facts)).text


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", SmtpServer("mail.example", 587, False, None, None)),
        ("smtps://mail.example", SmtpServer("mail.example", 465, True, None, None)),
        ("smtp://me:p%40ss@mail.example:25", SmtpServer("mail.example", 25, False, "me", "p@ss")),
    ],
)
def test_servers_are_named_by_urls(url: str, server: SmtpServer) -> None:
    assert smtp_server(url) == server


@pytest.mark.parametrize("url", ["mail.example", "https://mail.example", "smtp://", "smtp:x"])
def test_other_urls_name_no_server(url: str) -> None:
    with pytest.raises(ValueError, match="smtp://"):
        smtp_server(url)


class Post:
    """A mail room at work on a sender that may fail."""

    def __init__(self, failures: int = 0) -> None:
        self.sent: asyncio.Queue[Letter] = asyncio.Queue()
        self.tries = 0
        self._failures = failures
        self.room = MailRoom(self._send, retry_seconds=(0.0, 0.0))

    async def _send(self, letter: Letter) -> None:
        self.tries += 1
        if self.tries <= self._failures:
            raise NotSent("busy")
        self.sent.put_nowait(letter)

    async def working(self) -> asyncio.Task[None]:
        return asyncio.create_task(self.room.run())


async def stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("failures", [0, 1, 2])
async def test_what_is_not_taken_is_tried_again(failures: int) -> None:
    post = Post(failures)
    task = await post.working()
    post.room.post(ROTATED)
    async with asyncio.timeout(5):
        letter = await post.sent.get()
    assert (letter.to, post.tries) == ("you@example.com", failures + 1)
    await stopped(task)


async def test_what_is_never_taken_is_told_without_its_text(
    logs: list[MutableMapping[str, Any]],
) -> None:
    post = Post(failures=3)
    task = await post.working()
    post.room.post(ROTATED)
    post.room.post(ROTATED._replace(to="next@example.com"))
    async with asyncio.timeout(5):
        assert (await post.sent.get()).to == "next@example.com"
    assert [entry for entry in logs if entry["event"] == "a mail was not sent"]
    assert "no longer signs" not in repr(logs)
    await stopped(task)


async def test_what_waits_is_sent_before_the_end() -> None:
    post = Post()
    task = await post.working()
    await asyncio.sleep(0)
    post.room.post(ROTATED)
    post.room.post(ROTATED)
    await stopped(task)
    assert post.sent.qsize() == 2


async def test_without_a_server_mail_is_told(logs: list[MutableMapping[str, Any]]) -> None:
    facts = {"code": "ABCD-EFGH", "link": "https://api.example/v1/auth/verify?token=x"}
    await write_to_log(letter_of(Mail("you@example.com", "sign_in", facts)))
    (entry,) = logs
    assert facts["link"] in entry["text"]
    assert entry["to"] == "you@example.com"


async def test_a_letter_arrives(sink: tuple[Sink, Smtp]) -> None:
    handler, smtp = sink
    letter = letter_of(ROTATED)
    await smtp.send(letter)
    (message,) = handler.messages
    assert message["Subject"] == letter.subject
    assert (message["To"], message["From"]) == (letter.to, "CueAPI <no-reply@example.com>")
    assert message.get_content().replace("\r\n", "\n") == letter.text


async def test_a_refusal_is_told(sink: tuple[Sink, Smtp]) -> None:
    handler, smtp = sink
    with pytest.raises(NotSent):
        await smtp.send(letter_of(ROTATED._replace(to="refused@example.com")))
    assert handler.messages == []


async def test_a_server_that_is_away_takes_nothing() -> None:
    smtp = Smtp(SmtpServer("127.0.0.1", 1, False, None, None), "CueAPI <no@example.com>")
    with pytest.raises(NotSent):
        await smtp.send(letter_of(ROTATED))

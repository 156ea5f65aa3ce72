"""Mail over a real SMTP conversation, and into the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from structlog.testing import capture_logs

from services.alerts.adapters.mail import LogMailer, SmtpMailer, SmtpServer, masked, smtp_server
from services.alerts.rules.letters import letter
from tests.services.alerts.test_letters import FAILURE, LINKS

LETTER = letter("you@example.com", "failure:e1", {**FAILURE, "cue_name": "Bürö"}, LINKS)


class Sink:
    """Keeps what it is sent; refuses who is called `refused`."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, list[str], EmailMessage]] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address.startswith("refused"):
            return f"550 no such mailbox: {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.letters.append((envelope.mail_from, envelope.rcpt_tos, parsed))
        return "250 OK"


@pytest.fixture
async def sink() -> AsyncIterator[tuple[Sink, SmtpServer]]:
    handler = Sink()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler, loop=loop), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield handler, smtp_server(f"smtp://127.0.0.1:{port}")
    server.close()
    await server.wait_closed()


async def test_a_letter_arrives_in_both_forms(sink: tuple[Sink, SmtpServer]) -> None:
    handler, server = sink
    assert await SmtpMailer(server, "CueAPI <alerts@example.com>").send(LETTER) is None
    [(sender, to, message)] = handler.letters
    assert sender == "alerts@example.com"
    assert to == ["you@example.com"]
    assert message["Subject"] == "[CueAPI] Bürö failed"
    assert message["Message-ID"] == "<failure.e1@cueapi>"
    plain = message.get_body(("plain",))
    html = message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "Bürö" in plain.get_content()
    assert 'href="https://api.example/v1/executions/e1"' in html.get_content()


async def test_a_refusal_is_told(sink: tuple[Sink, SmtpServer]) -> None:
    handler, server = sink
    refused = letter("refused@example.com", "failure:e1", FAILURE, LINKS)
    error = await SmtpMailer(server, "alerts@example.com").send(refused)
    assert error is not None
    assert "no such mailbox" in error
    assert "refused@example.com" not in error
    assert handler.letters == []


async def test_a_server_that_is_away_is_told() -> None:
    nobody = SmtpServer(host="127.0.0.1", port=1, tls=False)
    error = await SmtpMailer(nobody, "alerts@example.com").send(LETTER)
    assert error is not None
    assert error.startswith("the mail server did not take it")


async def test_a_server_that_says_nothing_is_given_up() -> None:
    left = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        left.set()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        server = SmtpServer(host="127.0.0.1", port=port, tls=False)
        error = await SmtpMailer(server, "alerts@example.com", timeout=0.1).send(LETTER)
        await asyncio.wait_for(left.wait(), 5)
    assert error == "the mail server did not take it in time"


async def test_without_a_server_the_log_is_told_what_is_not_private() -> None:
    with capture_logs() as logs:
        assert await LogMailer().send(LETTER) is None
    [entry] = logs
    assert entry["to"] == "y***@example.com"
    assert entry["link"] == "https://api.example/v1/executions/e1"


def test_addresses_are_masked() -> None:
    assert masked("someone@example.com") == "s***@example.com"


def test_a_mail_server_is_a_url() -> None:
    assert smtp_server("smtps://me:p%40ss@mail.example") == SmtpServer(
        host="mail.example", port=465, tls=True, user="me", password="p@ss"
    )
    assert smtp_server("smtp://mail.example:2525").port == 2525
    for wrong in ("mail.example", "http://mail.example", "smtp://"):
        with pytest.raises(ValueError, match="a mail server is"):
            smtp_server(wrong)

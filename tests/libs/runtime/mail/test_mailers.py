"""The ways out of the house: SMTP and Resend on real conversations, the log, the twin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from libs.runtime.http.addresses import EgressPolicy
from libs.runtime.http.names import NameLookup
from libs.runtime.mail.letters import Content, write
from libs.runtime.mail.resend import ResendMailer
from libs.runtime.mail.sending import LogMailer, Mailer, MemoryMailer, NotSent, refused
from libs.runtime.mail.settings import MailSettings
from libs.runtime.mail.smtp import SmtpMailer, SmtpServer, smtp_server
from tests.libs.runtime.mail.sink import Sink, listening

SECRET = "secret-of-the-mail-server"
SENDER = "CueAPI <no-reply@example.com>"
LETTER = write("you@example.com", Content(title="Bürö failed"), message_id="<failure.e1@cueapi>")
REFUSED = replace(LETTER, to="refused@example.com")


class Resend:
    """Answers as Resend does, and keeps what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[dict[str, str], Any]] = []

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append((dict(request.headers), body))
        if body["to"] == [REFUSED.to]:
            message = f"no such mailbox: {REFUSED.to}, nor the key {SECRET}"
            return web.json_response({"statusCode": 422, "message": message}, status=422)
        return web.json_response({"id": "49a3999c"})


@asynccontextmanager
async def resend_listening() -> AsyncIterator[Resend]:
    resend = Resend()
    application = web.Application()
    application.router.add_post("/emails", resend.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    resend.url = f"http://127.0.0.1:{runner.addresses[0][1]}/emails"
    yield resend
    await runner.cleanup()


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with listening() as opened:
        yield opened


@pytest.fixture
async def resend() -> AsyncIterator[Resend]:
    async with resend_listening() as opened:
        yield opened


def smtp(sink: Sink) -> SmtpMailer:
    return SmtpMailer(SmtpServer("127.0.0.1", sink.port, tls=False), SENDER)


def over_http(url: str, timeout: float = 5.0) -> ResendMailer:
    policy = EgressPolicy(allow_insecure=True)
    return ResendMailer(SECRET, SENDER, NameLookup(), url=url, policy=policy, timeout=timeout)


async def test_a_letter_arrives_over_smtp_in_both_forms(sink: Sink) -> None:
    await smtp(sink).send(LETTER)
    [message] = sink.messages
    assert (message["To"], message["From"]) == (LETTER.to, SENDER)
    assert message["Subject"] == "Bürö failed"
    assert message["Message-ID"] == "<failure.e1@cueapi>"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n") == LETTER.text
    assert html.get_content().replace("\r\n", "\n") == LETTER.html


async def test_a_letter_arrives_through_resend_in_both_forms(resend: Resend) -> None:
    await over_http(resend.url).send(LETTER)
    [(headers, body)] = resend.asked
    assert headers["Authorization"] == f"Bearer {SECRET}"
    assert headers["Idempotency-Key"] == "failure.e1@cueapi"
    assert body["headers"]["Message-ID"] == "<failure.e1@cueapi>"
    assert (body["from"], body["to"], body["subject"]) == (SENDER, [LETTER.to], LETTER.subject)
    assert (body["text"], body["html"]) == (LETTER.text, LETTER.html)


async def test_a_refusal_is_told_without_what_is_private(sink: Sink, resend: Resend) -> None:
    for mailer in (smtp(sink), over_http(resend.url)):
        with pytest.raises(NotSent, match="did not take it") as told:
            await mailer.send(REFUSED)
        assert "no such mailbox" in str(told.value)
        assert REFUSED.to not in str(told.value)
        assert SECRET not in str(told.value)
    assert sink.messages == []


async def test_a_refused_sign_in_does_not_tell_the_password(sink: Sink) -> None:
    server = SmtpServer("127.0.0.1", sink.port, tls=False, user="me", password=SECRET)
    with pytest.raises(NotSent) as told:
        await SmtpMailer(server, SENDER).send(LETTER)
    assert SECRET not in str(told.value)


def test_a_server_that_quotes_the_letter_is_not_quoted() -> None:
    link = "https://api.example/v1/auth/verify?token=0123456789abcdef"
    letter = write("you@example.com", Content(title="Sign in", link=link, label="Sign in"))
    said = f"550 spam: you@example.com {letter.text} {SECRET}"
    told = str(refused(said, letter, SECRET))
    assert "550 spam" in told
    for private in (link, "0123456789abcdef", letter.to, SECRET):
        assert private not in told


@pytest.mark.parametrize(
    "mailer",
    [
        lambda: SmtpMailer(SmtpServer("127.0.0.1", 1, tls=False), SENDER),
        lambda: over_http("http://127.0.0.1:1/emails"),
    ],
)
async def test_a_server_that_is_away_takes_nothing(mailer: Callable[[], Mailer]) -> None:
    with pytest.raises(NotSent, match="did not take it"):
        await mailer().send(LETTER)


async def test_a_server_that_says_nothing_is_given_up() -> None:
    left = asyncio.Semaphore(0)

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        left.release()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        server = SmtpServer("127.0.0.1", port, tls=False)
        mailers = (
            SmtpMailer(server, SENDER, timeout=0.1),
            over_http(f"http://127.0.0.1:{port}/emails", timeout=0.1),
        )
        for mailer in mailers:
            with pytest.raises(NotSent):
                await mailer.send(LETTER)
            async with asyncio.timeout(5):
                await left.acquire()


async def test_an_address_that_no_header_can_hold_is_refused() -> None:
    with pytest.raises(NotSent):
        await SmtpMailer(SmtpServer("127.0.0.1", 1, tls=False), SENDER).send(
            replace(LETTER, to="a@example.com\r\nBcc: all@example.com")
        )


async def test_without_a_server_mail_is_told() -> None:
    with capture_logs() as logs:
        await LogMailer().send(LETTER)
    [entry] = logs
    assert (entry["to"], entry["subject"], entry["text"]) == (
        LETTER.to,
        LETTER.subject,
        "Bürö failed\n",
    )


async def test_the_twin_keeps_what_it_takes() -> None:
    mailer = MemoryMailer()
    await mailer.send(LETTER)
    mailer.refusal = "busy"
    with pytest.raises(NotSent, match="busy"):
        await mailer.send(LETTER)
    assert mailer.letters == [LETTER]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", SmtpServer("mail.example", 587, False)),
        ("smtps://mail.example", SmtpServer("mail.example", 465, True)),
        ("smtp://me:p%40ss@mail.example:25", SmtpServer("mail.example", 25, False, "me", "p@ss")),
    ],
)
def test_servers_are_named_by_urls(url: str, server: SmtpServer) -> None:
    assert smtp_server(url) == server


@pytest.mark.parametrize("url", ["mail.example", "https://mail.example", "smtp://", "smtp:x"])
def test_other_urls_name_no_server(url: str) -> None:
    with pytest.raises(ValueError, match="smtp://"):
        smtp_server(url)


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ({}, LogMailer),
        ({"RESEND_API_KEY": "re_1"}, ResendMailer),
        ({"RESEND_API_KEY": "re_1", "CUEAPI_SMTP_URL": "smtp://mail.example:25"}, SmtpMailer),
    ],
)
def test_mail_goes_the_way_that_is_configured(environment: dict[str, str], kind: type) -> None:
    settings = MailSettings.model_validate({"SESSION_SECRET": "s" * 40, **environment})
    assert isinstance(settings.mailer(NameLookup()), kind)

"""The local mail server takes mail and shows it, safely."""

from collections.abc import AsyncIterator

import httpx
import pytest

from deploy.local.mail import KEPT, MailSink, pieces
from deploy.local.waiting import NO_CERTIFICATES
from libs.runtime.mail.letters import Content, write
from libs.runtime.mail.smtp import SmtpMailer, smtp_server

LINK = "https://api.example/v1/auth/verify?token=a1&device_code=<b>"


@pytest.fixture
async def sink() -> AsyncIterator[MailSink]:
    async with MailSink() as sink:
        yield sink


@pytest.fixture
async def page(sink: MailSink) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=sink.page_url, verify=NO_CERTIFICATES, trust_env=False, timeout=5
    ) as client:
        yield client


async def send(sink: MailSink, title: str, link: str = "https://api.example/a?b=1&c=2") -> None:
    mailer = SmtpMailer(smtp_server(sink.smtp_url), "CueAPI <noreply@localhost>")
    await mailer.send(write("you@example.com", Content(title=title, link=link, label="Open")))


async def test_what_is_sent_is_shown_newest_first(sink: MailSink, page: httpx.AsyncClient) -> None:
    assert "No mail yet" in (await page.get("/")).text
    await send(sink, "one of two")
    await send(sink, "two of two")
    mails = (await page.get("/mails")).json()["mails"]
    assert [(mail["to"], mail["subject"]) for mail in mails] == [
        ("you@example.com", "two of two"),
        ("you@example.com", "one of two"),
    ]
    assert mails[0]["text"].splitlines()[-1] == "Open: https://api.example/a?b=1&c=2"
    shown = (await page.get("/")).text
    assert '<a href="https://api.example/a?b=1&amp;c=2"' in shown
    assert shown.index("two of two") < shown.index("one of two")


async def test_a_mail_runs_nothing(sink: MailSink, page: httpx.AsyncClient) -> None:
    await send(sink, "<script>alert(1)</script>", 'https://a.example/"onclick="alert(1)')
    answer = await page.get("/")
    assert "<script>" not in answer.text
    assert '"onclick' not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe-inline" not in policy


async def test_only_the_latest_are_kept(sink: MailSink, page: httpx.AsyncClient) -> None:
    for number in range(KEPT + 1):
        await send(sink, f"mail {number}")
    mails = (await page.get("/mails")).json()["mails"]
    assert len(mails) == KEPT
    assert mails[-1]["subject"] == "mail 1"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8025", ""])
async def test_other_names_lead_nowhere(page: httpx.AsyncClient, host: str) -> None:
    for path in ("/", "/mails"):
        assert (await page.get(path, headers={"Host": host})).status_code >= 400


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("none", []),
        ("see https://a.example/x?y=1&z=2.", ["https://a.example/x?y=1&z=2"]),
        ("(http://a.example) javascript:alert(1)", ["http://a.example"]),
        (
            "https://a.example/1\nhttps://a.example/2",
            ["https://a.example/1", "https://a.example/2"],
        ),
    ],
)
def test_links_are_found_and_nothing_is_lost(text: str, links: list[str]) -> None:
    found = pieces(text)
    assert [piece for piece, is_link in found if is_link] == links
    assert "".join(piece for piece, _ in found) == text

"""Mail from the api: written, posted, tried again, and told when it is not taken."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

import pytest

from libs.runtime.mail.letters import Letter
from libs.runtime.mail.sending import NotSent
from services.api.adapters.mail import Mail, MailRoom, letter_of

ROTATED = Mail(
    "you@example.com",
    "webhook_secret_rotated",
    {"which": "webhook secret", "until": None, "base_url": "https://api.example"},
)


def test_a_letter_is_written_from_its_template() -> None:
    letter = letter_of(ROTATED)
    assert letter.subject == "Your CueAPI webhook secret was replaced"
    assert "no longer signs" in letter.text
    facts = {**ROTATED.facts, "until": "2026-03-02T12:00:00Z"}
    assert "until 2026-03-02T12:00:00Z" in letter_of(ROTATED._replace(facts=facts)).text


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

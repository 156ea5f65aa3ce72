"""One attempt over real HTTP: what the receiver hears is what goes on record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from libs.events.cue_settings import (
    Callback,
    CueSettings,
)
from libs.events.envelope import encode
from libs.events.execution_states import (
    evolve,
)
from libs.events.executions import Facts
from libs.runtime.clock import ServerClock
from libs.runtime.http.addresses import EgressPolicy
from libs.runtime.http.client import OutboundClient
from libs.runtime.http.names import NameLookup
from services.dispatcher.adapters.webhook import Attempt, HttpWebhook
from services.dispatcher.decider.attempts import Acknowledged, NotAcknowledged, record_result
from tests.services.dispatcher.examples import NOON, SECOND, SETTINGS, WEBHOOK, started
from tests.services.scheduler.deciding import given

SECRETS = ("whsec_" + "5e" * 32, "whsec_" + "a0" * 32)
OWN = {"Authorization": "Bearer very-secret", "X-Secret": "the-other-secret"}


class Receiver:
    """Keeps the headers it is sent, and answers as told."""

    def __init__(self) -> None:
        self.heard: list[Mapping[str, str]] = []
        self.answer: Callable[[], web.Response] = web.Response

    async def hear(self, request: web.Request) -> web.Response:
        await request.read()
        self.heard.append(request.headers)
        return self.answer()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def settings(receiver: Receiver) -> AsyncIterator[CueSettings]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.hear)
    async with TestServer(app) as server:
        yield replace(SETTINGS, callback=Callback(url=str(server.make_url("/hook"))))


@pytest.fixture
async def webhook() -> AsyncIterator[HttpWebhook]:
    policy = EgressPolicy(allow_insecure=True)
    async with OutboundClient(
        policy, NameLookup(), user_agent="CueAPI/1.0", max_connections=4
    ) as client:
        yield HttpWebhook(client, policy)


def facts() -> Facts:
    return evolve(evolve(None, WEBHOOK), started()).facts


def attempt(
    settings: CueSettings, secrets: tuple[str, ...] = SECRETS, now: datetime | None = None
) -> Attempt:
    return Attempt(
        facts=facts(),
        epoch=1,
        settings=settings,
        payload={},
        headers=OWN,
        secrets=secrets,
        clock=ServerClock.showing(datetime.now(UTC) if now is None else now),
    )


async def test_the_headers_on_record_are_those_that_were_heard(
    webhook: HttpWebhook, receiver: Receiver, settings: CueSettings
) -> None:
    sent = await webhook.send(attempt(settings))
    [heard] = receiver.heard
    kept = sent.result.sent
    assert kept is not None
    assert heard["X-CueAPI-Timestamp"] == heard["webhook-timestamp"] == str(kept.timestamp)
    assert heard["X-CueAPI-Signature"] == kept.signature
    assert heard["X-CueAPI-Signature-Previous"] == kept.previous_signature
    assert heard["webhook-signature"] == kept.webhook_signature
    assert len(kept.webhook_signature.split(" ")) == 2
    assert heard["traceparent"] == kept.traceparent
    assert kept.own == ("Authorization", "X-Secret")


async def test_it_is_stamped_by_the_databases_clock_and_not_by_this_machines(
    webhook: HttpWebhook, receiver: Receiver, settings: CueSettings
) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    await webhook.send(attempt(settings, now=ahead))
    assert 0 <= int(receiver.heard[0]["X-CueAPI-Timestamp"]) - int(ahead.timestamp()) < 30


async def test_without_an_overlap_one_secret_signs(
    webhook: HttpWebhook, receiver: Receiver, settings: CueSettings
) -> None:
    sent = await webhook.send(attempt(settings, SECRETS[:1]))
    assert sent.result.sent is not None
    assert sent.result.sent.previous_signature is None
    assert "X-CueAPI-Signature-Previous" not in receiver.heard[0]
    assert " " not in receiver.heard[0]["webhook-signature"]


@pytest.mark.parametrize("status", [200, 503])
async def test_no_secret_goes_on_record(
    webhook: HttpWebhook, receiver: Receiver, settings: CueSettings, status: int
) -> None:
    receiver.answer = lambda: web.Response(status=status)
    sent = await webhook.send(attempt(settings))
    execution = given(WEBHOOK, started()).state
    events = record_result(execution, 1, sent.result, settings, NOON + SECOND)
    text = encode(events)
    assert sent.result.sent is not None
    assert sent.result.sent.signature.encode() in text
    for secret in (*SECRETS, *(s.removeprefix("whsec_") for s in SECRETS), *OWN.values()):
        assert secret.encode() not in text


async def test_an_attempt_that_reached_nobody_tells_what_it_would_have_sent(
    webhook: HttpWebhook, settings: CueSettings
) -> None:
    away = replace(settings, callback=Callback(url="http://127.0.0.1:1/hook"))
    sent = await webhook.send(attempt(away))
    assert isinstance(sent.result, NotAcknowledged)
    assert (sent.result.error, sent.result.sent is None) == ("connect", False)


@pytest.mark.parametrize(
    ("status", "after", "seconds"),
    [
        (429, "7", 7),
        (503, "3600", 3_600),
        (503, "3601", 3_601),
        (503, "soon", None),
        (500, "7", None),
    ],
)
async def test_what_the_receiver_asks_for_is_read(
    webhook: HttpWebhook,
    receiver: Receiver,
    settings: CueSettings,
    status: int,
    after: str,
    seconds: int | None,
) -> None:
    receiver.answer = lambda: web.Response(status=status, headers={"Retry-After": after})
    sent = await webhook.send(attempt(settings))
    assert isinstance(sent.result, NotAcknowledged)
    assert sent.result.retry_after == seconds


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_any_2xx_acknowledges(
    webhook: HttpWebhook, receiver: Receiver, settings: CueSettings, status: int
) -> None:
    receiver.answer = lambda: web.Response(status=status)
    assert isinstance((await webhook.send(attempt(settings))).result, Acknowledged)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 408, 410, 429, 500, 503])
async def test_anything_else_fails_and_is_not_followed(
    webhook: HttpWebhook, receiver: Receiver, settings: CueSettings, status: int
) -> None:
    receiver.answer = lambda: web.Response(status=status, headers={"Location": "/elsewhere"})
    result = (await webhook.send(attempt(settings))).result
    assert isinstance(result, NotAcknowledged)
    assert (result.error, result.http_status) == ("status", status)
    assert f"({status})" in result.message
    assert len(receiver.heard) == 1

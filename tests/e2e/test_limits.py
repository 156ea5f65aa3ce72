"""Limits are exact, however many ask at once and whichever replica they ask (contract §10)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from itertools import cycle

import pytest

from tests.e2e.client import Api, JsonObject, ok
from tests.e2e.world import World, running

pytestmark = pytest.mark.e2e

ENV = {"DISABLE_QUOTA_ENFORCEMENT": "false", "DEFAULT_PLAN": "free"}
REPLICAS = {"api": 2, "scheduler": 2}
REQUESTS = 100
CUES, EXECUTIONS, PER_MINUTE = 10, 300, 60


@pytest.fixture(scope="module")
async def limited(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running(tmp_path_factory.mktemp("limits"), env=ENV, replicas=REPLICAS) as world:
        yield world


@pytest.fixture
async def keys(limited: World) -> list[Api]:
    """Clients of one account with a key each: the rate is each key's own."""
    first = await limited.account()
    second = ok(await first.post("/v1/auth/keys", {"label": "second"}), 201)["api_key"]
    third = ok(await first.post("/v1/auth/keys", {"label": "third"}), 201)["api_key"]
    return [first, limited.client(second), limited.client(third)]


def worker_cue(number: int) -> JsonObject:
    schedule = {"type": "recurring", "cron": "0 0 1 1 *"}
    return {"name": f"cue {number}", "transport": "worker", "schedule": schedule}


def base_urls(world: World) -> list[str]:
    return [service.health.removesuffix("/health") for service in world.stack.services["api"]]


async def test_a_hundred_at_once_make_as_many_cues_as_the_plan_allows(keys: list[Api]) -> None:
    asked = (
        api.post("/v1/cues", worker_cue(number))
        for number, api in zip(range(REQUESTS), cycle(keys), strict=False)
    )
    answers = Counter(exchange.status for exchange in await asyncio.gather(*asked))
    assert answers == {201: CUES, 403: REQUESTS - CUES}
    assert ok(await keys[2].get("/v1/usage"))["cues"]["active"] == CUES


@pytest.mark.parametrize(
    ("grace", "made"), [("25 hours", 5), ("23 hours", REQUESTS)], ids=["over", "within"]
)
async def test_a_hundred_fires_at_once_make_what_is_left_of_the_month(
    limited: World, keys: list[Api], grace: str, made: int
) -> None:
    cue = ok(await keys[0].post("/v1/cues", worker_cue(1)), 201)
    async with limited.database() as database:
        await database.execute(
            "insert into usage (account_id, period, executions, grace_started_at)"
            " select account_id, date_trunc('month', now() at time zone 'utc')::date, %s,"
            " now() - %s::interval from identities where email = %s",
            [EXECUTIONS - 5, grace, keys[0].email],
        )
    asked = (
        api.post(f"/v1/cues/{cue['id']}/fire", {})
        for _, api in zip(range(REQUESTS), cycle(keys), strict=False)
    )
    answers = Counter(exchange.status for exchange in await asyncio.gather(*asked))
    assert answers == Counter({200: made, 403: REQUESTS - made}) + Counter()


async def test_a_keys_rate_is_exact_across_replicas(limited: World) -> None:
    api = await limited.account()
    # Registering was open to all; the webhook secret was the key's first request.
    headers = {"Authorization": f"Bearer {api.key}"}
    urls = cycle(base_urls(limited))
    assert len(set(base_urls(limited))) == 2
    asked = (
        limited.http.get(f"{url}/v1/auth/me", headers=headers)
        for url, _ in zip(urls, range(REQUESTS), strict=False)
    )
    answers = await asyncio.gather(*asked)
    counted = Counter(answer.status_code for answer in answers)
    assert counted == {200: PER_MINUTE - 1, 429: REQUESTS - PER_MINUTE + 1}
    left = sorted(
        int(answer.headers["X-RateLimit-Remaining"])
        for answer in answers
        if answer.status_code == 200
    )
    assert left == list(range(PER_MINUTE - 1))
    for answer in answers:
        if answer.status_code == 429:
            assert int(answer.headers["Retry-After"]) >= 1

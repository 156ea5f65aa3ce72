"""Claims that wait: woken by notices of their account, and by the clock without one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import ASGIApp

from deploy.local.waiting import until
from libs.events.envelope import Notice, encode
from libs.events.execution_commands import ClaimNextExecution
from libs.events.log import PostgresLog
from libs.runtime.clock import monotonic, utc_now
from libs.runtime.http.names import NameLookup
from services.api.routes.claims import LOOK_AGAIN_SECONDS
from services.api.routes.ports import Rules
from services.api.routes.waiting import WaitingRoom
from tests.services.api.bodies import CRON
from tests.services.api.conftest import SECRET, Fixture, addresses_of
from tests.services.api.fakes import ACCOUNT
from tests.services.api.real import User, application, registered

SECONDS = 20.0
OTHER = "0195f0a0-0000-7000-8000-00000000acc0"


def notices(account_id: str, event: str = "ExecutionScheduled") -> bytes:
    told = Notice(
        id="n-1",
        type=event,
        stream_id="execution-1",
        version=1,
        account_id=account_id,
        recorded_at=utc_now(),
    )
    return encode([told])


@pytest.mark.parametrize("event", ["ExecutionScheduled", "LeaseExpired"])
async def test_a_notice_of_ones_account_is_a_hint(event: str) -> None:
    room = WaitingRoom()
    with room.seat(ACCOUNT) as hint:
        room.hear(notices(ACCOUNT, event))
        assert await hint.within(SECONDS)


@pytest.mark.parametrize(
    ("account", "event"), [(OTHER, "ExecutionScheduled"), (ACCOUNT, "AttemptSucceeded")]
)
async def test_what_makes_no_work_for_one_is_none(account: str, event: str) -> None:
    room = WaitingRoom()
    with room.seat(ACCOUNT) as hint:
        room.hear(notices(account, event))
        assert not await hint.within(0.001)


async def test_a_hint_during_a_look_is_kept_and_given_once() -> None:
    room = WaitingRoom()
    with room.seat(ACCOUNT) as hint:
        for _ in range(3):
            room.hear(notices(ACCOUNT))
        assert await hint.within(0.001)
        assert not await hint.within(0.001)


async def test_who_has_gone_is_forgotten() -> None:
    room = WaitingRoom()
    with room.seat(ACCOUNT), room.seat(ACCOUNT):
        assert room.accounts == {ACCOUNT}
    assert room.accounts == frozenset()
    room.hear(notices(ACCOUNT))


@pytest.mark.parametrize("body", [b"", b"{}", b"[{}]", b"\xff"])
async def test_what_cannot_be_read_is_passed_over(body: bytes) -> None:
    room = WaitingRoom()
    with room.seat(ACCOUNT) as hint:
        room.hear(body)
        assert not await hint.within(0.001)


async def test_nothing_to_claim_is_told_when_the_time_is_over(api: Fixture) -> None:
    api.bus.refuse("claim_failed")
    api.store.tell("api_executions", {"found": False})
    began = monotonic()
    body = {"worker_id": "w", "wait_seconds": 1}
    refused = await api.client.post("/v1/executions/claim", json=body)
    assert refused.status_code == 409
    assert 1.0 <= monotonic() - began < SECONDS


# On Postgres: how soon, and who gets it.


@pytest.fixture(scope="module")
def lookup() -> Iterator[NameLookup]:
    names = NameLookup(addresses_of)
    yield names
    names.close()


@pytest.fixture
def room() -> WaitingRoom:
    return WaitingRoom()


@pytest.fixture
def app(postgres_log: PostgresLog, lookup: NameLookup, room: WaitingRoom) -> ASGIApp:
    rules = Rules(default_plan="scale", session_secret=SECRET, enforce_quotas=False)
    return application(postgres_log, lookup, rules, waiting=room)


@pytest.fixture
async def user(app: ASGIApp) -> User:
    return await registered(app)


async def worker_cue(user: User, name: str = "nightly", task: str = "sync") -> str:
    body = {"name": name, "schedule": CRON, "transport": "worker", "payload": {"task": task}}
    return str((await user.ok("POST", "/v1/cues", body))["id"])


async def waiting(user: User, room: WaitingRoom, **body: object) -> asyncio.Task[dict[str, object]]:
    """Begin a claim that waits, and see it wait."""
    account = str((await user.ok("GET", "/v1/auth/me"))["id"])
    claim = {"worker_id": "w", "wait_seconds": 20, **body}
    task = asyncio.create_task(user.ok("POST", "/v1/executions/claim", claim))

    async def seated() -> bool:
        return account in room.accounts

    await until(seated, SECONDS)
    return task


@pytest.mark.integration
async def test_work_without_a_notice_is_found_within_a_second(
    user: User, room: WaitingRoom
) -> None:
    cue = await worker_cue(user)
    claim = await waiting(user, room)
    made = await user.ok("POST", f"/v1/cues/{cue}/fire")
    assert (await claim)["execution_id"] == made["id"]
    assert LOOK_AGAIN_SECONDS <= 1.0


@pytest.mark.integration
async def test_a_notice_ends_the_wait_before_the_next_look(user: User, room: WaitingRoom) -> None:
    cue, account = await worker_cue(user), (await user.ok("GET", "/v1/auth/me"))["id"]
    waits = []
    for _ in range(3):
        claim = await waiting(user, room)
        made = await user.ok("POST", f"/v1/cues/{cue}/fire")
        began = monotonic()
        room.hear(notices(account))
        assert (await claim)["execution_id"] == made["id"]
        waits.append(monotonic() - began)
    assert min(waits) < LOOK_AGAIN_SECONDS / 2, "nobody heard: only the clock ended a wait"


@pytest.mark.integration
async def test_of_many_who_wait_each_gets_another(user: User, room: WaitingRoom) -> None:
    cue, account = await worker_cue(user), (await user.ok("GET", "/v1/auth/me"))["id"]
    claims = [await waiting(user, room, worker_id=f"w{n}") for n in range(4)]
    made = {(await user.ok("POST", f"/v1/cues/{cue}/fire"))["id"] for _ in claims}
    room.hear(notices(account))
    assert {(await claim)["execution_id"] for claim in claims} == made


@pytest.mark.integration
async def test_who_waits_for_a_task_is_not_given_another(user: User, room: WaitingRoom) -> None:
    sync, mail = await worker_cue(user), await worker_cue(user, "mails", "mail")
    account = (await user.ok("GET", "/v1/auth/me"))["id"]
    claim = await waiting(user, room, task="mail")
    await user.ok("POST", f"/v1/cues/{sync}/fire")
    room.hear(notices(account))
    wanted = await user.ok("POST", f"/v1/cues/{mail}/fire")
    room.hear(notices(account))
    assert (await claim)["execution_id"] == wanted["id"]


async def test_a_refusal_of_another_kind_is_not_waited_out(api: Fixture) -> None:
    api.bus.refuse("execution_not_found")
    body = {"worker_id": "w", "wait_seconds": 20}
    assert (await api.client.post("/v1/executions/claim", json=body)).status_code == 404
    assert [type(command) for command in api.bus.commands] == [ClaimNextExecution]

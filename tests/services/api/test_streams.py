"""The event stream, over real HTTP on real Postgres, with and without a broker (contract §16)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from typing import Any, NamedTuple

import httpx
import pytest

from deploy.local.waiting import until
from libs.events.bus import Bus
from libs.events.log import PostgresLog
from libs.events.receive import Receiver
from libs.events.relay import Relay
from libs.runtime.health import Health
from libs.runtime.http.names import NameLookup
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database, Unavailable
from services.api.queries.events import SCANNED, Position, events_after
from services.api.routes.audience import STREAMS_PER_KEY, Audience, Listener, Lookout
from services.api.routes.event_stream import EventStream
from services.api.routes.ports import Rules
from services.api.routes.telling import OLD, Pace, tell
from services.api.server import HttpServer, bound_socket
from tests.servers import NatsServer
from tests.services.api.bodies import CUE
from tests.services.api.conftest import SECRET
from tests.services.api.real import User, application, registered

pytestmark = pytest.mark.integration

LIMIT = 20
WORKER_CUE = {
    "name": "sync",
    "schedule": {"type": "recurring", "cron": "0 6 * * *"},
    "transport": "worker",
}


class Told(NamedTuple):
    """A server-sent event: its id, and its data; none for a comment, which is `said`."""

    id: str
    data: dict[str, Any] | None
    said: str


class Reader:
    """One open stream."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self) -> Told:
        """The next block, whatever it is."""
        position, data, said = "", None, ""
        async with asyncio.timeout(LIMIT):
            async for line in self._lines:
                if not line:
                    return Told(position, data, said)
                name, _, value = line.partition(":")
                match name:
                    case "id":
                        position = value.strip()
                    case "data":
                        data = json.loads(value)
                    case "":
                        said = value.strip()
                    case _:
                        assert name == "retry"
        raise EOFError(said)

    async def event(self) -> Told:
        """The next event."""
        while True:
            told = await self.next()
            if told.data is not None:
                return told

    async def types(self, count: int) -> list[str]:
        return [str((await self.event()).data["type"]) for _ in range(count)]  # type: ignore[index]

    async def rest(self) -> list[str]:
        """What is said until the stream ends."""
        said = []
        with suppress(EOFError):
            while True:
                said.append((await self.next()).said)
        return said


class Site:
    """The api on a socket, and what wakes its streams."""

    def __init__(self, log: PostgresLog, names: NameLookup, *, lookout: bool = True) -> None:
        self.audience = Audience()
        rules = Rules(session_secret=SECRET, enforce_quotas=False)
        self.app = application(log, names, rules, audience=self.audience)
        listening = bound_socket("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.server = asyncio.create_task(HttpServer(self.app, listening, grace=5).run())
        watching = Lookout(self.audience, log.database).run() if lookout else asyncio.sleep(0)
        self.lookout = asyncio.create_task(watching)

    async def stop(self) -> None:
        """As the supervisor does it: last to first."""
        for task in (self.lookout, self.server):
            task.cancel()
            await asyncio.wait([task], timeout=10)
            assert task.done()

    async def has_room(self, user: User) -> bool:
        """Whether a stream of this user may begin."""
        with suppress(AssertionError):
            async with self.stream(user):
                return True
        return False

    @asynccontextmanager
    async def stream(
        self, user: User, query: str = "", last_event_id: str | None = None
    ) -> AsyncIterator[Reader]:
        headers = {"Authorization": f"Bearer {user.api_key}"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        async with (
            httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=LIMIT) as client,
            client.stream("GET", f"/v1/events/stream{query}", headers=headers) as response,
        ):
            if response.is_error:
                await response.aread()
            assert response.status_code == 200, response.text
            assert response.headers["content-type"].startswith("text/event-stream")
            reader = Reader(response)
            assert (await reader.next()).id
            yield reader

    async def refused(self, user: User, query: str = "", **headers: str) -> tuple[int, str, str]:
        sent = {"Authorization": f"Bearer {user.api_key}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            response = await client.get(f"/v1/events/stream{query}", headers=sent)
        error = response.json()["error"]
        return response.status_code, error["code"], error["message"]


@pytest.fixture
async def site(postgres_log: PostgresLog, names: NameLookup) -> AsyncIterator[Site]:
    site = Site(postgres_log, names)
    yield site
    await site.stop()


@pytest.fixture
async def user(site: Site) -> User:
    return await registered(site.app)


async def fired(user: User, body: dict[str, Any] = WORKER_CUE) -> tuple[str, str]:
    cue = await user.ok("POST", "/v1/cues", {**body, "name": new_uuid()})
    execution = await user.ok("POST", f"/v1/cues/{cue['id']}/fire")
    return cue["id"], execution["id"]


async def test_events_are_told_as_they_happen_while_there_is_no_broker(
    site: Site, user: User
) -> None:
    async with site.stream(user) as reader:
        cue_id, execution_id = await fired(user)
        created, scheduled = await reader.event(), await reader.event()
    assert created.data is not None
    assert scheduled.data is not None
    assert created.data["type"] == "CueCreated"
    assert (created.data["cue_id"], created.data["execution_id"]) == (cue_id, None)
    timeline = await user.ok("GET", f"/v1/executions/{execution_id}/timeline")
    item = {"cue_id": cue_id, "execution_id": execution_id, **timeline["events"][0]}
    assert scheduled.data == item


async def test_another_account_hears_nothing(site: Site, user: User) -> None:
    other = await registered(site.app)
    async with site.stream(user) as reader, site.stream(other) as others:
        await fired(user)
        await fired(other)
        own = [await reader.event() for _ in range(2)]
        theirs = [await others.event() for _ in range(2)]
    assert {e.data["cue_id"] for e in own if e.data}.isdisjoint(
        e.data["cue_id"] for e in theirs if e.data
    )


async def test_a_stream_resumes_with_nothing_lost_or_doubled(site: Site, user: User) -> None:
    async with site.stream(user) as reader:
        for _ in range(3):
            await fired(user)
        all_of_it = [await reader.event() for _ in range(6)]
    for told, behind in enumerate(all_of_it[:-1], start=1):
        for header in (True, False):
            query = "" if header else f"?last_event_id={behind.id}"
            async with site.stream(user, query, behind.id if header else None) as again:
                rest = [await again.event() for _ in range(6 - told)]
            assert rest == all_of_it[told:]


async def test_who_commits_late_is_not_passed_over(
    site: Site, user: User, database: Database
) -> None:
    """A transaction that wrote before another one commits after it: it has the smaller position."""
    insert = (
        "insert into events (id, month, stream_id, version, type, schema_version, account_id,"
        " data, meta, recorded_at) select gen_random_uuid(), '1999-01-01', stream_id,"
        " version + %s, 'PlanChanged', 1, account_id,"
        ' \'{"at": "2026-01-01T00:00:00Z", "plan": "pro"}\','
        " meta, now() from events where stream_id = %s and version = 1"
    )
    me = await user.ok("GET", "/v1/auth/me")
    stream = f"account-{me['id']}"
    async with site.stream(user) as reader:
        async with database.connection() as early, database.connection() as late:
            await early.execute("begin")
            await early.execute(insert, [100, stream])
            await late.execute(insert, [101, stream])
            site.audience.wake(me["id"])
            await early.execute("commit")
        site.audience.wake(me["id"])
        versions = [(await reader.event()).data["version"] for _ in range(2)]  # type: ignore[index]
    assert versions == [101, 102]


async def test_filters(site: Site, user: User) -> None:
    async with (
        site.stream(user, "?type=ExecutionScheduled,CuePaused") as some,
        AsyncExitStack() as later,
    ):
        first, _ = await fired(user)
        of_first = await later.enter_async_context(site.stream(user, f"?cue_id={first}"))
        await fired(user)
        await user.ok("PATCH", f"/v1/cues/{first}", {"status": "paused"})
        assert await some.types(3) == ["ExecutionScheduled", "ExecutionScheduled", "CuePaused"]
        assert await of_first.types(1) == ["CuePaused"]


async def test_what_is_refused(site: Site, user: User) -> None:
    assert (await site.refused(user, "?type=Nonsense"))[:2] == (400, "invalid_filter")
    for bad in ("x", "1", "1-2-3", "-1-1", f"{10**17}-0", "9" * 40 + "-0"):
        status, code, message = await site.refused(user, Last_Event_ID=bad)
        assert (status, code) == (422, "validation_error"), bad
        assert "header.Last-Event-ID" in message
        assert (await site.refused(user, f"?last_event_id={bad}"))[0] == 422
    stranger = User(site.app, "cue_sk_" + "0" * 32, "")
    assert (await site.refused(stranger))[:2] == (401, "invalid_api_key")


async def test_one_key_has_five_streams_at_most(site: Site, user: User) -> None:
    async with AsyncExitStack() as open_ones:
        for _ in range(STREAMS_PER_KEY):
            await open_ones.enter_async_context(site.stream(user))
        status, code, message = await site.refused(user)
        assert (status, code) == (429, "rate_limit_exceeded")
        assert "5 event streams" in message
        key = await user.ok("POST", "/v1/auth/keys", {"label": "another"})
        other = User(site.app, key["api_key"], "")
        await open_ones.enter_async_context(site.stream(other))

    # The server sees a little later that the readers have gone.
    async def room() -> bool:
        return await site.has_room(user)

    await until(room, LIMIT)


async def test_a_revoked_key_ends_its_streams(site: Site, user: User) -> None:
    made = await user.ok("POST", "/v1/auth/keys", {"label": "short-lived"})
    other = User(site.app, made["api_key"], "")
    async with site.stream(user) as own, site.stream(other, "?type=CueCreated") as reader:
        await user.ok("DELETE", f"/v1/auth/keys/{made['id']}")
        assert await reader.rest() == ["the key is not valid any more"]
        assert await own.types(1) == ["ApiKeyRevoked"]


async def test_streams_end_when_the_server_stops(
    postgres_log: PostgresLog, names: NameLookup
) -> None:
    site = Site(postgres_log, names)
    user = await registered(site.app)
    async with site.stream(user) as reader:
        stopping = asyncio.create_task(site.stop())
        said = await reader.rest()
    assert said == ["this server stops; connect again with Last-Event-ID"]
    await stopping


async def test_no_secret_is_told(site: Site, user: User) -> None:
    headers = {"X-Token": "canary-7c1f"}
    callback = {**CUE["callback"], "headers": headers}
    async with site.stream(user) as reader:
        body = {**CUE, "callback": callback, "payload": {"secret": "canary-9a2e"}}
        await fired(user, body)
        rotated = await user.ok("POST", "/v1/auth/webhook-secret/regenerate")
        told = json.dumps([(await reader.event()).data for _ in range(3)])
    assert "canary" not in told
    assert rotated["webhook_secret"] not in told
    assert user.api_key not in told


async def test_a_look_goes_over_a_bounded_part_of_the_log(database: Database, user: User) -> None:
    """Many events of others lie between: each look moves on, and own events are found behind."""
    await database.execute(
        "insert into events (id, month, stream_id, version, type, schema_version, account_id,"
        " data, meta, recorded_at) select gen_random_uuid(), '1999-01-01', 'account-of-others',"
        " n, 'PlanChanged', 1, gen_random_uuid(), '{}', '{}', now()"
        " from generate_series(1, %s) n",
        [SCANNED],
    )
    cue_id, _ = await fired(user)
    me = await user.ok("GET", "/v1/auth/me")
    position, looks = Position(0, 0), 0
    found: list[Any] = []
    while True:
        look = await events_after(database, me["id"], position)
        looks, found = looks + 1, [*found, *look.events]
        if look.whole:
            break
        assert look.position > position
        position = look.position
    assert looks >= 2
    assert [each.type for each in found][-2:] == ["CueCreated", "ExecutionScheduled"]
    assert found[-1].cue_id == cue_id


async def test_a_reader_that_takes_nothing_is_cut_off_and_told_so() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 3:
            await asyncio.Event().wait()  # the reader's window is full

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def chunks() -> AsyncIterator[bytes]:
        while True:
            yield b"data: {}\n\n"

    with ExitStack() as seat:
        left: list[bool] = []
        seat.callback(left.append, True)
        stream = EventStream(chunks(), seat.pop_all(), slow_seconds=0.01)
    await asyncio.wait_for(stream({"type": "http"}, receive, send), LIMIT)
    assert b"too slow" in sent[-1]["body"]
    assert sent[-1]["more_body"] is False
    assert left == [True]


@asynccontextmanager
async def broker_wakes(site: Site, database: Database, nats: NatsServer) -> AsyncIterator[None]:
    """The relay tells the broker of the log's events, and the site overhears it."""
    bus, relay_bus = Bus(nats.url, "api"), Bus(nats.url, "relay")
    receiver, relay = Receiver(bus, database, Health()), Relay(database, relay_bus, Health())
    receiver.overhears(site.audience.hear)
    await relay_bus.connect()
    parts = [asyncio.create_task(part.run()) for part in (receiver, relay)]

    async def connected() -> bool:
        return bus.connected

    try:
        await until(connected, LIMIT)
        yield
    finally:
        for part in parts:
            part.cancel()
        await asyncio.wait(parts, timeout=10)
        await relay_bus.close()


async def test_notices_alone_wake_streams(
    postgres_log: PostgresLog, names: NameLookup, nats: NatsServer
) -> None:
    site = Site(postgres_log, names, lookout=False)
    user = await registered(site.app)
    async with broker_wakes(site, postgres_log.database, nats), site.stream(user) as reader:
        await fired(user)
        assert await reader.types(2) == ["CueCreated", "ExecutionScheduled"]
    await site.stop()


async def test_without_the_broker_events_only_come_later(
    site: Site, user: User, database: Database, nats: NatsServer
) -> None:
    async with broker_wakes(site, database, nats), site.stream(user) as reader:
        await nats.stop()
        try:
            await fired(user)
            assert await reader.types(2) == ["CueCreated", "ExecutionScheduled"]
        finally:
            await nats.start()
        await fired(user)
        assert await reader.types(2) == ["CueCreated", "ExecutionScheduled"]


class Quiet:
    """A log in which nothing happens; the first look finds no database."""

    def __init__(self) -> None:
        self.looks = 0

    async def rows(self, sql: str, params: Any = ()) -> list[Any]:
        self.looks += 1
        if self.looks == 1:
            raise Unavailable("away")
        nothing = {"scanned": 0, "last_xid": None, "last_pos": None, "type": None}
        return [{**nothing, "horizon": str(10 + self.looks)}]

    async def each(self, sql: str, item: Any) -> list[Any]:
        raise AssertionError(sql)


async def test_a_quiet_stream_says_that_it_lives_and_ends_when_it_is_old() -> None:
    listener = Listener("0b9d3c1e-5a57-4b0f-9d0e-2f6f1f0c7a11", None)
    pace = Pace(comment=0.02, life=0.2, away=0.01)
    text = [c async for c in tell(Quiet(), listener, Position(7, 3), lambda _: None, pace)]
    assert text[0] == b"retry: 2000\nid: 7-3\n\n"
    assert text[-1] == OLD
    form = re.compile(rb": still here\nid: (\d+)-0\n\n")
    positions = [int(found[1]) for each in text[1:-1] if (found := form.fullmatch(each))]
    assert len(positions) == len(text) - 2 >= 2
    assert positions == sorted({*positions})


class Counting:
    """Counts what is asked of the database."""

    def __init__(self, database: Database) -> None:
        self.count = 0
        self._database = database

    async def rows(self, sql: str, params: Any = ()) -> list[Any]:
        self.count += 1
        return await self._database.rows(sql, params)

    async def each(self, sql: str, item: Any) -> list[Any]:
        raise AssertionError(sql)


async def test_postgres_is_left_alone_while_nobody_listens(database: Database) -> None:
    audience, store = Audience(), Counting(database)
    lookout = asyncio.create_task(Lookout(audience, store).run())

    async def asked() -> bool:
        return store.count > 0

    for _ in range(100):
        await asyncio.sleep(0)
    assert not await asked()
    with audience.seat("0b9d3c1e-5a57-4b0f-9d0e-2f6f1f0c7a11", None):
        await until(asked, LIMIT)
    lookout.cancel()
    await asyncio.wait([lookout])

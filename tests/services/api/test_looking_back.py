"""Previews, attempts, the past, slots, explanations and bulk replay (contract §16)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from msgspec.structs import replace
from starlette.types import ASGIApp

from libs.events import cues, execution_events
from libs.events.base import Event, Transport
from libs.events.cue_settings import (
    CueSettings,
    Schedule,
)
from libs.events.envelope import Meta
from libs.events.examples import SENT
from libs.events.log import PostgresLog
from libs.events.unit import Unit
from libs.runtime.http.names import NameLookup
from libs.runtime.ids import new_uuid
from services.api.routes.ports import Rules
from services.api.rules.ledger import LIMIT, Explanation, Ran, explain, skipped_slots
from tests.services.api.bodies import CUE
from tests.services.api.conftest import SECRET, Fixture, addresses_of
from tests.services.api.real import User, application, registered

META = Meta(correlation_id="test", actor="test")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURLY = CueSettings(name="hourly", schedule=Schedule(cron="0 * * * *"))


# The preview stands on nothing but the schedule.


async def preview(api: Fixture, schedule: dict[str, Any], **body: Any) -> Any:
    sent = {"schedule": schedule, **body}
    return await api.client.post("/v1/schedules/preview", json=sent)


async def test_a_schedule_is_told_in_words_and_instants(api: Fixture) -> None:
    schedule = {"type": "recurring", "cron": "0 9 * * 1-5", "timezone": "europe/berlin"}
    told = (await preview(api, schedule, count=3)).json()
    assert told["description"] == "At 09:00 on Monday to Friday, Europe/Berlin"
    assert len(told["next"]) == 3
    for occurrence in told["next"]:
        at, local = (datetime.fromisoformat(occurrence[name]) for name in ("at", "local"))
        assert at == local
        assert local.hour == 9
        assert occurrence["dst"] is None
    assert told["smallest_interval_seconds"] in (86_400, 82_800)


async def test_a_single_run_is_told(api: Fixture) -> None:
    schedule = {"type": "once", "at": "2090-01-01T09:00:00", "timezone": "Asia/Tokyo"}
    told = (await preview(api, schedule)).json()
    assert told["next"] == [
        {"at": "2090-01-01T00:00:00Z", "local": "2090-01-01T09:00:00+09:00", "dst": None}
    ]
    assert told["smallest_interval_seconds"] is None
    assert "Asia/Tokyo" in told["description"]


@pytest.mark.parametrize(
    ("schedule", "more", "code"),
    [
        ({"type": "recurring", "cron": "61 * * * *"}, {}, "invalid_schedule"),
        ({"type": "recurring", "cron": "0 0 30 2 *"}, {}, "invalid_schedule"),
        ({"type": "recurring"}, {}, "invalid_schedule"),
        ({"type": "once", "at": "2020-01-01T00:00:00Z"}, {}, "invalid_schedule"),
        ({"type": "daily", "cron": "0 0 * * *"}, {}, "invalid_schedule"),
        ({"type": "recurring", "cron": "0 0 * * *", "timezone": "Mars"}, {}, "invalid_timezone"),
        ({"type": "recurring", "cron": "0 0 * * *"}, {"count": 0}, "validation_error"),
        ({"type": "recurring", "cron": "0 0 * * *"}, {"count": 101}, "validation_error"),
        ({"cron": "0 0 * * *"}, {}, "validation_error"),
    ],
)
async def test_schedules_that_are_none(
    api: Fixture, schedule: dict[str, Any], more: dict[str, Any], code: str
) -> None:
    response = await preview(api, schedule, **more)
    assert response.json()["error"]["code"] == code


# Explanations are pure.


def created(at: datetime = NOON, settings: CueSettings = HOURLY) -> cues.CueCreated:
    return cues.CueCreated(
        at=at, cue_id="cue_x7k9m2p4q8w1", account_id="a", settings=settings, next_run=at + HOUR
    )


def skipped(first: datetime, count: int, reason: str) -> cues.SlotsSkipped:
    last = first + (count - 1) * HOUR
    return cues.SlotsSkipped(
        at=last + timedelta(minutes=30),
        first=first,
        last=last,
        count=count,
        reason=reason,
        next_run=last + HOUR,
    )


BERLIN = CueSettings(name="nightly", schedule=Schedule(cron="30 2 * * *", timezone="Europe/Berlin"))
MISSED = skipped(NOON + HOUR, 3, "merged_into_later_run")
PAUSED = cues.CuePaused(at=NOON + timedelta(minutes=30))


@pytest.mark.parametrize(
    ("events", "at", "verdict", "reason"),
    [
        ([created()], NOON - HOUR, "not_due", "not_yet_created"),
        ([created()], NOON + timedelta(minutes=90), "not_due", "not_scheduled"),
        ([created()], NOON + HOUR, "pending", None),
        ([created()], NOON + 400 * HOUR, "pending", "in_future"),
        ([created(), PAUSED], NOON + HOUR, "skipped", "paused"),
        ([created(), cues.CueDeleted(at=NOON)], NOON + HOUR, "skipped", "deleted"),
        ([created(), MISSED], NOON + 2 * HOUR, "skipped", "merged_into_later_run"),
        ([created(), MISSED], NOON + 2 * HOUR + timedelta(seconds=59), "skipped", MISSED.reason),
        (
            [created(settings=BERLIN)],
            datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
            "not_due",
            "dst_gap",
        ),
        (
            [created(settings=BERLIN)],
            datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
            "not_due",
            "dst_repeat",
        ),
    ],
)
def test_times_without_an_execution(
    events: list[Any], at: datetime, verdict: str, reason: str | None
) -> None:
    told = explain(events, None, at, now=NOON + 300 * HOUR)
    assert (told.verdict, told.reason) == (verdict, reason)


def test_times_with_an_execution() -> None:
    slot = NOON + HOUR
    ran = Ran(slot, "e", "success", blocked=False)
    assert explain([created()], ran, slot, NOON) == Explanation(slot, "ran", None, "e")
    blocked = ran._replace(blocked=True)
    assert explain([created()], blocked, slot, NOON) == Explanation(slot, "skipped", LIMIT, "e")


def test_skipped_slots_follow_the_schedule_of_their_time() -> None:
    daily = CueSettings(name="daily", schedule=Schedule(cron="0 0 * * *"))
    updated = cues.CueUpdated(at=NOON + 5 * HOUR, settings=daily, next_run=None)
    found = skipped_slots([created(), MISSED, updated], NOON, NOON + 2 * HOUR, 10)
    assert found == [(NOON + n * HOUR, "merged_into_later_run") for n in (1, 2)]
    assert skipped_slots([created(), MISSED], NOON, NOON + 9 * HOUR, 1) == found[:1]


# The rest is read from a real log.


@pytest.fixture(scope="module")
def lookup() -> Iterator[NameLookup]:
    names = NameLookup(addresses_of)
    yield names
    names.close()


@pytest.fixture(scope="module")
def app(postgres_log: PostgresLog, lookup: NameLookup) -> ASGIApp:
    return application(postgres_log, lookup, Rules(default_plan="scale", session_secret=SECRET))


class Story:
    """A user's cue, to which things happen."""

    def __init__(self, log: PostgresLog, user: User, account: str, cue: str) -> None:
        self.log, self.user, self.account, self.cue = log, user, account, cue

    async def happens(self, category: str, key: str, *events: Event) -> None:
        async with self.log.transaction() as unit:
            await unit.lock(category, [key])
            unit.record(category, key, self.account, events, META)

    async def fires(
        self, slot: datetime, triggered_by: str = "scheduled", blocked: str | None = None
    ) -> str:
        execution = new_uuid()
        async with self.log.transaction() as unit:
            await unit.lock(cues.CATEGORY, [self.cue])
            made = execution_events.ExecutionScheduled(
                at=unit.now,
                execution_id=execution,
                account_id=self.account,
                cue_id=self.cue,
                transport=Transport.WEBHOOK,
                scheduled_for=slot,
                due_at=unit.now,
                triggered_by=triggered_by,
                next_run=slot + HOUR,
                blocked=blocked,
            )
            unit.record("execution", execution, self.account, [made], META)
        return execution

    async def delivered(self, execution: str) -> None:
        now = await self.now()
        await self.happens(
            "execution",
            execution,
            execution_events.AttemptStarted(at=now, epoch=1, lease_until=now + HOUR),
            execution_events.AttemptFailed(
                at=now, epoch=1, error="timeout", message="timed out", retry_at=now
            ),
            execution_events.AttemptStarted(at=now, epoch=2, lease_until=now + HOUR),
            execution_events.AttemptSucceeded(at=now, epoch=2, http_status=200),
        )

    async def now(self) -> datetime:
        async with self.log.transaction() as unit:
            assert isinstance(unit, Unit)
            return unit.now


@pytest.fixture
async def story(app: ASGIApp, postgres_log: PostgresLog) -> Story:
    user = await registered(app)
    account = (await user.ok("GET", "/v1/auth/me"))["id"]
    body = {**CUE, "schedule": {"type": "recurring", "cron": "0 * * * *"}}
    cue = (await user.ok("POST", "/v1/cues", body))["id"]
    return Story(postgres_log, user, account, cue)


@pytest.mark.integration
async def test_attempts_are_told(story: Story) -> None:
    execution = await story.fires(NOON)
    await story.delivered(execution)
    told = await story.user.ok("GET", f"/v1/executions/{execution}/attempts")
    assert (told["execution_id"], told["total"]) == (execution, 2)
    first, second = told["attempts"]
    assert (first["attempt"], first["result"], first["error"]) == (1, "failed", "timeout")
    assert (second["attempt"], second["result"], second["http_status"]) == (2, "delivered", 200)
    assert second["request_headers"]["X-CueAPI-Attempt"] == "2"


@pytest.mark.integration
async def test_the_headers_of_an_attempt_are_told_as_they_were_sent(story: Story) -> None:
    execution, now = await story.fires(NOON), await story.now()
    sent = replace(SENT, own=("X-Of-Then",))
    await story.happens(
        "execution",
        execution,
        execution_events.AttemptStarted(at=now, epoch=1, lease_until=now + HOUR),
        execution_events.AttemptSucceeded(at=now, epoch=1, http_status=200, sent=sent),
    )
    await story.user.ok(
        "PATCH", f"/v1/cues/{story.cue}", {"callback": {"headers": {"X-Of-Now": "1"}}}
    )
    told = await story.user.ok("GET", f"/v1/executions/{execution}/attempts")
    headers = told["attempts"][0]["request_headers"]
    assert headers == {
        "X-Of-Then": "***",
        "Content-Type": "application/json",
        "User-Agent": "CueAPI/1.0",
        "X-CueAPI-Cue-Id": story.cue,
        "X-CueAPI-Execution-Id": execution,
        "X-CueAPI-Scheduled-For": "2026-03-02T12:00:00Z",
        "X-CueAPI-Attempt": "1",
        "X-CueAPI-Timestamp": str(SENT.timestamp),
        "X-CueAPI-Signature": SENT.signature,
        "X-CueAPI-Signature-Previous": SENT.previous_signature,
        "webhook-id": execution,
        "webhook-timestamp": str(SENT.timestamp),
        "webhook-signature": SENT.webhook_signature,
        "traceparent": SENT.traceparent,
    }


@pytest.mark.integration
async def test_custom_headers_are_masked(story: Story) -> None:
    callback = {"callback": {"headers": {"X-Token": "very-secret"}}}
    await story.user.ok("PATCH", f"/v1/cues/{story.cue}", callback)
    execution = await story.fires(NOON)
    await story.delivered(execution)
    told = await story.user.call("GET", f"/v1/executions/{execution}/attempts")
    assert "very-secret" not in told.text
    assert told.json()["attempts"][0]["request_headers"]["X-Token"] == "***"


@pytest.mark.integration
async def test_the_past_can_be_read(story: Story) -> None:
    before = await story.now()
    execution = await story.fires(NOON)
    pending = await story.now()
    await story.delivered(execution)
    await story.user.ok("PATCH", f"/v1/cues/{story.cue}", {"name": "renamed"})

    def at(moment: datetime) -> str:
        return f"?as_of={quote(moment.isoformat())}"

    path = f"/v1/executions/{execution}"
    assert await story.user.refused("GET", path + at(before)) == (404, "execution_not_found")
    then = await story.user.ok("GET", path + at(pending))
    assert (then["status"], then["attempts"], then["cue_name"]) == ("pending", 0, CUE["name"])
    today = await story.user.ok("GET", path)
    assert await story.user.ok("GET", path + at(await story.now())) == today
    assert (today["status"], today["cue_name"]) == ("success", "renamed")
    path = f"/v1/cues/{story.cue}"
    cue = await story.user.ok("GET", path + at(pending))
    assert (cue["name"], cue["fired_count"], cue["run_count"]) == (CUE["name"], 1, 0)
    assert [each["status"] for each in cue["executions"]] == ["pending"]
    assert await story.user.ok("GET", path + at(await story.now())) == await story.user.ok(
        "GET", path
    )
    earlier = await story.user.refused("GET", path + at(before - HOUR))
    assert earlier == (404, "cue_not_found")
    nonsense = await story.user.refused("GET", f"{path}?as_of=yesterday")
    assert nonsense == (422, "validation_error")


@pytest.mark.integration
async def test_the_past_is_private(app: ASGIApp, story: Story) -> None:
    execution = await story.fires(NOON)
    stranger = await registered(app)
    now = quote((await story.now()).isoformat())
    for path, code in (
        (f"/v1/cues/{story.cue}?as_of={now}", "cue_not_found"),
        (f"/v1/cues/{story.cue}/slots", "cue_not_found"),
        (f"/v1/cues/{story.cue}/explain?at={now}", "cue_not_found"),
        (f"/v1/executions/{execution}?as_of={now}", "execution_not_found"),
        (f"/v1/executions/{execution}/attempts", "execution_not_found"),
    ):
        assert await stranger.refused("GET", path) == (404, code)


@pytest.mark.integration
async def test_every_slot_has_an_end(story: Story) -> None:
    ran = await story.fires(NOON)
    blocked = await story.fires(NOON + 3 * HOUR, blocked=LIMIT)
    await story.fires(NOON + HOUR, triggered_by="manual_fire")
    await story.happens("cue", story.cue, skipped(NOON + HOUR, 2, "catch_up_skipped"))
    since, until = (quote(t.isoformat()) for t in (NOON, NOON + 4 * HOUR))
    path = f"/v1/cues/{story.cue}/slots?since={since}&until={until}"
    ledger = await story.user.ok("GET", path)
    assert [(s["verdict"], s["execution_id"], s["reason"]) for s in ledger["slots"]] == [
        ("ran", ran, None),
        ("skipped", None, "catch_up_skipped"),
        ("skipped", None, "catch_up_skipped"),
        ("skipped", blocked, LIMIT),
    ]
    assert (ledger["total"], ledger["truncated"]) == (4, False)
    turned = f"/v1/cues/{story.cue}/slots?since={until}&until={since}"
    assert await story.user.refused("GET", turned) == (422, "validation_error")
    assert (await story.user.ok("GET", f"/v1/cues/{story.cue}/slots"))["slots"] == []


@pytest.mark.integration
async def test_a_run_is_explained(story: Story) -> None:
    ran = await story.fires(NOON)
    path = f"/v1/cues/{story.cue}/explain"
    told = await story.user.ok("GET", f"{path}?at=2026-03-02T12:00:30Z")
    assert (told["verdict"], told["execution_id"], told["slot"]) == (
        "ran",
        ran,
        "2026-03-02T12:00:00Z",
    )
    early = await story.user.ok("GET", f"{path}?at=2026-03-02T13:00:00Z")
    assert (early["verdict"], early["reason"]) == ("not_due", "not_yet_created")
    ahead = await story.user.ok("GET", f"{path}?at=2090-01-01T00:30:00Z")
    assert ahead["reason"] == "not_scheduled"
    assert "2090-01-01T01:00:00Z" in ahead["hint"]
    assert await story.user.refused("GET", path) == (422, "validation_error")
    await story.user.ok("DELETE", f"/v1/cues/{story.cue}")
    gone = await story.user.ok("GET", f"{path}?at=2090-01-01T01:00:00Z")
    assert (gone["verdict"], gone["reason"]) == ("skipped", "deleted")


@pytest.mark.integration
async def test_executions_are_replayed_together(story: Story) -> None:
    ended = [await story.fires(NOON + n * HOUR) for n in range(3)]
    for execution in ended:
        await story.delivered(execution)
    running = await story.fires(NOON + 3 * HOUR)
    tried = await story.user.ok(
        "POST", "/v1/executions/replay", {"cue_id": story.cue, "dry_run": True}
    )
    in_flight = [{"execution_id": running, "reason": "execution_in_flight"}]
    assert tried == {"matched": 4, "replayed": 3, "skipped": in_flight, "execution_ids": []}
    once = {"Idempotency_Key": "all"}
    done = await story.user.ok("POST", "/v1/executions/replay", {"status": "success"}, **once)
    assert (done["matched"], done["replayed"], done["skipped"]) == (3, 3, [])
    made = await story.user.ok("GET", "/v1/executions?triggered_by=replay")
    assert {each["id"] for each in made["executions"]} == set(done["execution_ids"])
    assert {each["replayed_from"] for each in made["executions"]} == set(ended)
    again = await story.user.ok("POST", "/v1/executions/replay", {"status": "success"}, **once)
    assert again == done


@pytest.mark.integration
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"status": "done"}, "invalid_filter"),
        ({"status": "failed", "status__in": "failed"}, "conflicting_filters"),
        ({"status__in": ""}, "invalid_status_in"),
        ({"limit": 5}, "validation_error"),
        ({"dry_run": "yes"}, "validation_error"),
        ({"since": "yesterday"}, "validation_error"),
    ],
)
async def test_what_is_not_replayed(story: Story, body: dict[str, Any], code: str) -> None:
    assert (await story.user.refused("POST", "/v1/executions/replay", body))[1] == code

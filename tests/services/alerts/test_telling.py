"""Notifications on a real log: each once, in time, at a pace that people can bear (contract §9)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from libs.events.accounts import AccountRegistered
from libs.events.base import Transport, VerificationMode
from libs.events.blobs import blob_of, put_blobs
from libs.events.cue_settings import (
    AlertRules,
    OnFailure,
)
from libs.events.cues import (
    CueDeleted,
    CueUpdated,
)
from libs.events.execution_events import ExecutionMissed, OutcomeReported
from libs.events.executions import Report
from libs.events.log import PostgresLog
from libs.events.rebuild import verify
from libs.runtime.mail.letters import Letter
from libs.runtime.mail.sending import NotSent
from services.alerts.handlers import raise_alerts
from services.alerts.timers.noticing import NoticeAccounts
from services.alerts.timers.preparing import Desk
from services.alerts.timers.telling import ACCOUNT_SLOTS, TellPeople
from tests.services.alerts.story import KEYRING, LINKS, SECOND, SECRET, Story, execution_of

pytestmark = pytest.mark.integration

HOOK = "https://ops.example/hook"
EVERY = "https://all.example/alerts"


@pytest.fixture(autouse=True)
async def nothing_to_tell(postgres_log: PostgresLog) -> None:
    await postgres_log.database.execute("delete from notifications")


class Post:
    """A mail server that takes everything, or refuses with `error`, while it is `open`."""

    def __init__(self, error: str | None = None) -> None:
        self.error = error
        self.open = asyncio.Event()
        self.open.set()
        self.letters: list[Letter] = []

    async def send(self, letter: Letter) -> None:
        self.letters.append(letter)
        await self.open.wait()
        if self.error is not None:
            raise NotSent(self.error)


class Hooks:
    """Webhooks that take everything, or refuse with `error`; while they are `open`."""

    def __init__(self, error: str | None = None) -> None:
        self.error = error
        self.open = asyncio.Event()
        self.open.set()
        self.posts: list[tuple[str, Mapping[str, Any], tuple[str, ...]]] = []

    async def send(
        self, url: str, content: Mapping[str, Any], secrets: tuple[str, ...]
    ) -> str | None:
        self.posts.append((url, content, secrets))
        await self.open.wait()
        return self.error


class Office:
    """One replica of the part that tells people, with all that it says."""

    def __init__(self, log: PostgresLog, error: str | None = None) -> None:
        self.post, self.hooks = Post(error), Hooks(error)

        async def appended() -> None: ...

        desk = Desk(self.post, self.hooks, KEYRING, LINKS)
        self.tell = TellPeople(log, desk, on_free=lambda: None, on_appended=appended)

    async def work(self) -> None:
        """Tell all that is due now."""
        busy = True
        while busy:
            busy = False
            while (await self.tell.run_once()).more:
                busy = True
            await self.tell.drain()


async def failing_cue(log: PostgresLog, **changes: Any) -> Story:
    story = Story(log, **{"alerts": AlertRules(consecutive_failures=100), **changes})
    await story.begin()
    return story


async def make_due(log: PostgresLog, story: Story) -> None:
    await log.database.execute(
        "update notifications set due_at = now() where due_at is not null and account_id = %s",
        [story.account_id],
    )


def states(rows: Sequence[Any]) -> list[tuple[str, str, str]]:
    return [(row["kind"], row["channel"], row["status"]) for row in rows]


async def test_a_notification_that_no_letter_can_be_made_of_does_not_stop_the_others(
    postgres_log: PostgresLog,
) -> None:
    stories = [await failing_cue(postgres_log) for _ in range(3)]
    addresses = [await story.register() for story in stories]
    for story in stories:
        await raise_alerts(postgres_log, await story.failure(), LINKS)
    await postgres_log.database.execute(
        "update notifications set content = '{}' where account_id = %s", [stories[1].account_id]
    )
    office = Office(postgres_log)
    await office.work()
    told = {letter.to for letter in office.post.letters}
    assert told & {*addresses} == {addresses[0], addresses[2]}
    assert [row["status"] for row in await stories[1].notifications()] == ["waiting"]
    # Nothing can be made of it: it is in the way of the tests after this one.
    await postgres_log.database.execute(
        "delete from notifications where account_id = %s", [stories[1].account_id]
    )


async def test_a_final_failure_is_told_once_by_mail_and_webhook(postgres_log: PostgresLog) -> None:
    story = await failing_cue(postgres_log, on_failure=OnFailure(webhook=HOOK))
    address = await story.register()
    notices = await story.failure()
    offices = [Office(postgres_log) for _ in range(3)]
    await asyncio.gather(*(raise_alerts(postgres_log, notices, LINKS) for _ in range(3)))
    await asyncio.gather(*(office.work() for office in offices))
    await raise_alerts(postgres_log, notices[::-1], LINKS)
    await asyncio.gather(*(office.work() for office in offices))
    [mail] = [letter for office in offices for letter in office.post.letters]
    [(url, content, secrets)] = [post for office in offices for post in office.hooks.posts]
    key = execution_of(notices)
    assert mail.to == address
    link = f"https://app.example/executions/{key}"
    assert link in mail.text
    assert (url, secrets) == (HOOK, (SECRET,))
    assert content["event"] == "cue.failed"
    assert content["last_http_status"] == 500
    assert content["dashboard_url"] == link
    assert states(await story.notifications()) == [
        ("failure", "email", "sent"),
        ("failure", "webhook", "sent"),
    ]


async def test_a_reported_failure_is_told_in_the_agents_words(postgres_log: PostgresLog) -> None:
    story = await failing_cue(postgres_log, on_failure=OnFailure(webhook=HOOK))
    await story.register()
    details = blob_of(b'{"error": "disk full"}')
    async with postgres_log.transaction() as unit:
        await put_blobs(unit.connection, {(story.account_id, details.sha256): details.body})
    report = Report(success=False, details_ref=details.sha256)
    outcome = OutcomeReported(
        at=await story.now(), report=report, source="api", mode=VerificationMode.NONE
    )
    await raise_alerts(postgres_log, await story.delivery(outcome), LINKS)
    office = Office(postgres_log)
    await office.work()
    [(_, content, _)] = office.hooks.posts
    assert content["last_error"] == "disk full"


async def test_unclaimed_work_is_told(postgres_log: PostgresLog) -> None:
    story = await failing_cue(postgres_log, transport=Transport.WORKER)
    await story.register()
    missed = await story.execution(ExecutionMissed(at=await story.now()))
    await raise_alerts(postgres_log, missed, LINKS)
    assert states(await story.notifications()) == [("failure", "email", "waiting")]


async def test_an_alert_is_told_through_every_channel(postgres_log: PostgresLog) -> None:
    story = await failing_cue(
        postgres_log,
        alerts=AlertRules(consecutive_failures=1),
        on_failure=OnFailure(webhook=HOOK),
    )
    await story.register(alert_webhook=EVERY)
    await raise_alerts(postgres_log, await story.failure(), LINKS)
    office = Office(postgres_log)
    await office.work()
    told = [(url, content["event"]) for url, content, _ in office.hooks.posts]
    assert sorted(told) == [
        (EVERY, "alert.created"),
        (HOOK, "alert.created"),
        (HOOK, "cue.failed"),
    ]
    assert len(office.post.letters) == 2
    [own] = {secrets for url, _, secrets in office.hooks.posts if url == EVERY}
    assert own != (SECRET,)
    assert re.fullmatch("[0-9a-f]{64}", own[0])  # contract §3
    events = await postgres_log.database.rows(
        "select type, data->>'channel' as channel from events"
        " where account_id = %s and type like 'Notification%%' order by 2",
        [story.account_id],
    )
    assert [(e["type"], e["channel"]) for e in events] == [
        ("NotificationSent", "alert_webhook"),
        ("NotificationSent", "email"),
        ("NotificationSent", "webhook"),
    ]


async def test_the_alert_webhooks_secret_is_made_once(postgres_log: PostgresLog) -> None:
    story = await failing_cue(
        postgres_log, alerts=AlertRules(consecutive_failures=1), on_failure=OnFailure(email=False)
    )
    await story.register(alert_webhook=EVERY)
    office = Office(postgres_log, error="refused")
    await raise_alerts(postgres_log, await story.failure(), LINKS)
    for _ in range(2):
        await office.work()
        await make_due(postgres_log, story)
    assert len(office.hooks.posts) == 2
    assert len({secrets for _, _, secrets in office.hooks.posts}) == 1


async def test_three_tries_and_then_it_is_on_record(postgres_log: PostgresLog) -> None:
    story = await failing_cue(
        postgres_log,
        alerts=AlertRules(consecutive_failures=1),
        on_failure=OnFailure(email=False),
    )
    await story.register(alert_webhook=EVERY)
    await raise_alerts(postgres_log, await story.failure(), LINKS)
    office = Office(postgres_log, error="the webhook answered with an error status (500)")
    for low, high in ((55, 60), (295, 300)):
        await office.work()
        [row] = await story.notifications()
        assert low < (row["due_at"] - await story.now()) / SECOND <= high
        await make_due(postgres_log, story)
    await office.work()
    [row] = await story.notifications()
    assert (row["status"], row["tries"], row["due_at"]) == ("failed", 3, None)
    assert "(500)" in row["error"]
    assert len(office.hooks.posts) == 3
    [event] = await postgres_log.database.rows(
        "select type, data from events where account_id = %s and type like 'Notification%%'",
        [story.account_id],
    )
    assert event["type"] == "NotificationFailed"
    assert event["data"]["error"] == row["error"]


async def test_a_try_whose_process_died_is_made_again(postgres_log: PostgresLog) -> None:
    story = await failing_cue(postgres_log)
    await story.register()
    await raise_alerts(postgres_log, await story.failure(), LINKS)
    dead, alive = Office(postgres_log), Office(postgres_log)
    dead.post.open.clear()
    await dead.tell.run_once()
    await alive.work()
    assert alive.post.letters == []
    await make_due(postgres_log, story)
    await alive.work()
    # What the first one hears after all changes nothing.
    dead.post.open.set()
    await dead.tell.drain()
    assert len(alive.post.letters) == 1
    [row] = await story.notifications()
    assert (row["status"], row["tries"]) == ("sent", 2)


async def test_ten_mails_an_hour_and_the_rest_in_one_digest(postgres_log: PostgresLog) -> None:
    story = await failing_cue(postgres_log)
    await story.register()
    for _ in range(14):
        await raise_alerts(postgres_log, await story.failure(), LINKS)
    offices = [Office(postgres_log) for _ in range(2)]
    await asyncio.gather(*(office.work() for office in offices))
    assert sum(len(office.post.letters) for office in offices) == 10
    rows = await story.notifications()
    [digest] = [row for row in rows if row["kind"] == "digest"]
    assert 3_590 < (digest["due_at"] - await story.now()) / SECOND <= 3_600
    assert [row["status"] for row in rows].count("held") == 4
    await make_due(postgres_log, story)
    await asyncio.gather(*(office.work() for office in offices))
    letters = [letter for office in offices for letter in office.post.letters]
    [last] = [letter for letter in letters if letter.message_id.startswith("<digest.")]
    assert last.subject == "[CueAPI] 4 more failures and alerts in the last hour"
    assert len(letters) == 11
    assert {row["status"] for row in await story.notifications()} == {"sent"}


async def test_what_is_held_while_a_digest_goes_out_comes_with_the_next(
    postgres_log: PostgresLog,
) -> None:
    story = await failing_cue(postgres_log)
    await story.register()
    office = Office(postgres_log)
    for _ in range(11):
        await raise_alerts(postgres_log, await story.failure(), LINKS)
    await office.work()
    office.post.open.clear()
    await make_due(postgres_log, story)
    await office.tell.run_once()
    other = Office(postgres_log)
    await raise_alerts(postgres_log, await story.failure(), LINKS)
    await other.work()
    office.post.open.set()
    await office.tell.drain()
    assert len(office.post.letters) == 11
    await make_due(postgres_log, story)
    await other.work()
    [letter] = other.post.letters
    assert letter.subject == "[CueAPI] 1 more failure or alert in the last hour"
    assert {row["status"] for row in await story.notifications()} == {"sent"}


async def test_one_accounts_hanging_receivers_hold_its_own_slots_only(
    postgres_log: PostgresLog,
) -> None:
    hanging = await failing_cue(postgres_log, on_failure=OnFailure(email=False, webhook=HOOK))
    await hanging.register()
    for _ in range(ACCOUNT_SLOTS + 5):
        await raise_alerts(postgres_log, await hanging.failure(), LINKS)
    office = Office(postgres_log)
    office.hooks.open.clear()
    while (await office.tell.run_once()).more:
        pass
    assert len(office.hooks.posts) == ACCOUNT_SLOTS
    other = await failing_cue(postgres_log)
    await other.register()
    await raise_alerts(postgres_log, await other.failure(), LINKS)
    while (await office.tell.run_once()).more:
        pass
    assert len(office.post.letters) == 1
    office.hooks.open.set()
    await office.tell.drain()
    await office.work()
    assert {row["status"] for row in await hanging.notifications()} == {"sent"}


async def test_who_does_not_want_mail_gets_none(postgres_log: PostgresLog) -> None:
    story = await failing_cue(postgres_log)
    await story.register(notify=False)
    await raise_alerts(postgres_log, await story.failure(), LINKS)
    office = Office(postgres_log)
    await office.work()
    assert office.post.letters == []
    assert states(await story.notifications()) == [("failure", "email", "dropped")]


async def test_what_changed_meanwhile_holds(postgres_log: PostgresLog) -> None:
    story = await failing_cue(postgres_log, on_failure=OnFailure(email=False, webhook=HOOK))
    await story.register()
    await raise_alerts(postgres_log, await story.failure(), LINKS)
    moved = replace(story.settings, on_failure=OnFailure(email=False, webhook=EVERY))
    at = await story.now()
    await story.tell("cue", story.cue_id, CueUpdated(at=at, settings=moved, next_run=None))
    office = Office(postgres_log)
    await office.work()
    assert [url for url, _, _ in office.hooks.posts] == [EVERY]
    await raise_alerts(postgres_log, await story.failure(), LINKS)
    await story.tell("cue", story.cue_id, CueDeleted(at=at))
    await office.work()
    assert len(office.hooks.posts) == 1


async def test_a_silent_worker_is_told_once_an_hour(postgres_log: PostgresLog) -> None:
    story = Story(postgres_log)
    await story.register()
    database = postgres_log.database
    await database.execute(
        "insert into workers (account_id, worker_id, registered_at, last_heartbeat_at)"
        " values (%(a)s, 'silent', now(), now() - interval '301 seconds'),"
        "        (%(a)s, 'alive', now(), now() - interval '290 seconds'),"
        "        (%(a)s, 'long gone', now(), now() - interval '2 hours')",
        {"a": story.account_id},
    )
    await asyncio.gather(*(NoticeAccounts(postgres_log).run_once() for _ in range(3)))
    await database.execute(
        "update workers set last_heartbeat_at = now() - interval '302 seconds'"
        " where account_id = %s and worker_id = 'silent'",
        [story.account_id],
    )
    await NoticeAccounts(postgres_log).run_once()
    [row] = await story.notifications()
    assert row["content"]["worker_id"] == "silent"
    office = Office(postgres_log)
    await office.work()
    [letter] = office.post.letters
    assert letter.subject == "[CueAPI] worker silent is offline"


async def test_a_month_that_is_used_up_is_told_once_to_all(postgres_log: PostgresLog) -> None:
    story = Story(postgres_log)
    address = await story.register(notify=False)
    await story.tell(
        "account",
        story.account_id,
        AccountRegistered(at=await story.now(), account_id=story.account_id, plan="free"),
    )
    await postgres_log.database.execute(
        "insert into usage (account_id, period, executions, grace_started_at)"
        " values (%s, date_trunc('month', now()), 300, now())",
        [story.account_id],
    )
    await asyncio.gather(*(NoticeAccounts(postgres_log).run_once() for _ in range(3)))
    office = Office(postgres_log)
    await office.work()
    await NoticeAccounts(postgres_log).run_once()
    await office.work()
    [letter] = [letter for letter in office.post.letters if letter.to == address]
    assert "300" in letter.text


async def test_the_alerts_follow_from_the_log(postgres_log: PostgresLog) -> None:
    differences = await verify(postgres_log.database)
    assert [d for d in differences if d.table == "alerts"] == []

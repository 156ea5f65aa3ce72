"""Alerts on a real log: once per episode, whatever happens to the messages (contract §9)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import msgspec
import pytest

from libs.events.alerts import AcknowledgeAlert
from libs.events.base import VerificationMode
from libs.events.cue_settings import (
    AlertRules,
    Schedule,
)
from libs.events.cues import (
    CuePaused,
    CueResumed,
)
from libs.events.envelope import CommandEnvelope, encode
from libs.events.execution_events import (
    EvidenceAppended,
    OutcomeDeadlinePassed,
    OutcomeReported,
    OutcomeVerified,
    VerificationFailed,
)
from libs.events.executions import Report
from libs.events.handle import handle
from libs.events.log import PostgresLog
from libs.events.rebuild import verify
from libs.runtime.ids import new_uuid
from services.alerts.handlers import AlertDesk, raise_alerts, watch_cues
from services.alerts.timers.windows import WatchWindows
from tests.services.alerts.story import LINKS, META, Story, execution_of

pytestmark = pytest.mark.integration

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NEEDS_ID = VerificationMode.REQUIRE_EXTERNAL_ID


def outcome(at: datetime, *, success: bool = True) -> OutcomeReported:
    mode = NEEDS_ID if success else VerificationMode.NONE
    return OutcomeReported(at=at, report=Report(success=success), source="api", mode=mode)


async def acknowledge(log: PostgresLog, story: Story, alert_id: str) -> None:
    command = AcknowledgeAlert(account_id=story.account_id, alert_id=alert_id)
    envelope = CommandEnvelope(
        id=new_uuid(),
        type="AcknowledgeAlert",
        command=msgspec.Raw(encode(command)),
        meta=META,
    )
    [reply] = await handle(log, [envelope], AlertDesk())
    assert reply.rejection is None


async def look(log: PostgresLog) -> None:
    async def appended() -> None: ...

    await WatchWindows(log, on_appended=appended).run_once()


async def test_a_row_of_failures_is_told_once_by_many_replicas(postgres_log: PostgresLog) -> None:
    story = Story(postgres_log, alerts=AlertRules(consecutive_failures=3))
    await story.begin()
    notices = [n for _ in range(5) for n in await story.failure()]
    replicas = [raise_alerts(postgres_log, notices[::step], LINKS) for step in (1, -1, 1, -1)]
    assert sorted(await asyncio.gather(*replicas)) == [0, 0, 0, 1]
    [alert] = await story.alerts()
    assert alert["execution_id"] == execution_of(notices[-1:])
    assert alert["state"]["facts"]["facts"] == {"consecutive_failures": 5, "threshold": 3}


async def test_after_acknowledging_the_next_failure_alone_is_told(
    postgres_log: PostgresLog,
) -> None:
    story = Story(postgres_log, alerts=AlertRules(consecutive_failures=2))
    await story.begin()
    before = [n for _ in range(2) for n in await story.failure()]
    await raise_alerts(postgres_log, before, LINKS)
    [first] = await story.alerts()
    await acknowledge(postgres_log, story, first["id"])
    await raise_alerts(postgres_log, before, LINKS)
    assert len(await story.alerts()) == 1
    more = await story.failure()
    await raise_alerts(postgres_log, [*more, *before], LINKS)
    await raise_alerts(postgres_log, await story.failure(), LINKS)
    assert [a["execution_id"] for a in await story.alerts()] == [
        first["execution_id"],
        execution_of(more),
    ]


async def test_a_row_is_told_though_it_ended_before_news_of_it_came(
    postgres_log: PostgresLog,
) -> None:
    story = Story(postgres_log, alerts=AlertRules(consecutive_failures=2))
    await story.begin()
    late = [n for _ in range(2) for n in await story.failure()]
    await story.delivery(outcome(await story.now()))
    await raise_alerts(postgres_log, await story.failure(), LINKS)
    assert await story.alerts() == []
    await raise_alerts(postgres_log, late[::-1], LINKS)
    assert len(await story.alerts()) == 1


async def test_a_long_row_is_one_episode_and_counted_to_its_start(
    postgres_log: PostgresLog,
) -> None:
    story = Story(postgres_log, alerts=AlertRules(consecutive_failures=1))
    await story.begin()
    for _ in range(15):
        await raise_alerts(postgres_log, await story.failure(), LINKS)
    [first] = await story.alerts()
    await acknowledge(postgres_log, story, first["id"])
    await raise_alerts(postgres_log, await story.failure(), LINKS)
    [_, second] = await story.alerts()
    assert second["state"]["facts"]["facts"]["consecutive_failures"] == 16


async def test_a_success_resets_the_row(postgres_log: PostgresLog) -> None:
    story = Story(postgres_log, alerts=AlertRules(consecutive_failures=2))
    await story.begin()
    await raise_alerts(postgres_log, [n for _ in range(2) for n in await story.failure()], LINKS)
    await story.delivery(outcome(await story.now()))
    await raise_alerts(postgres_log, await story.failure(), LINKS)
    assert len(await story.alerts()) == 1
    await raise_alerts(postgres_log, await story.failure(), LINKS)
    assert len(await story.alerts()) == 2


async def test_silence_is_told_once_even_if_it_is_broken_first(postgres_log: PostgresLog) -> None:
    story = Story(postgres_log)
    await story.begin()
    at = await story.now()
    notices = await story.delivery(OutcomeDeadlinePassed(at=at), outcome(at))
    for _ in range(2):
        await raise_alerts(postgres_log, notices[3:4], LINKS)
    [alert] = await story.alerts()
    assert alert["kind"] == "outcome_timeout"
    assert alert["state"]["facts"]["facts"]["outcome_deadline_seconds"] == 300


async def test_a_failed_verification_is_told_though_evidence_followed(
    postgres_log: PostgresLog,
) -> None:
    story = Story(postgres_log)
    await story.begin()
    at = await story.now()
    notices = await story.delivery(
        outcome(at),
        VerificationFailed(at=at, missing="external_id"),
        EvidenceAppended(at=at, details_ref="a" * 64, evidence=("external_id",)),
        OutcomeVerified(at=at),
    )
    for _ in range(2):
        await raise_alerts(postgres_log, notices, LINKS)
    [alert] = await story.alerts()
    assert alert["kind"] == "verification_failed"
    assert alert["state"]["facts"]["facts"] == {
        "mode": "require_external_id",
        "missing": "external_id",
    }
    # A second entry within five minutes is not told.
    [again] = await story.tell(
        "execution", execution_of(notices), VerificationFailed(at=at, by="person")
    )
    await raise_alerts(postgres_log, [again], LINKS)
    assert len(await story.alerts()) == 1


async def test_a_missed_window_is_told_once_by_many_replicas(postgres_log: PostgresLog) -> None:
    story = Story(postgres_log)
    notices = await story.begin(age=4 * HOUR)
    await asyncio.gather(*(watch_cues(postgres_log, notices) for _ in range(3)))
    await asyncio.gather(*(look(postgres_log) for _ in range(3)))
    await watch_cues(postgres_log, notices)
    await look(postgres_log)
    [alert] = await story.alerts()
    assert alert["kind"] == "missed_window"
    assert alert["execution_id"] is None
    assert alert["state"]["facts"]["facts"]["multiplier"] == 2


async def test_an_ack_counts_until_it_turns_out_to_be_a_failure(postgres_log: PostgresLog) -> None:
    story = Story(postgres_log)
    await watch_cues(postgres_log, await story.begin(age=5 * HOUR))
    delivered = await story.delivery(age=MINUTE)
    await look(postgres_log)
    assert await story.alerts() == []
    now = await story.now()
    failed = await story.tell("execution", execution_of(delivered), outcome(now, success=False))
    await raise_alerts(postgres_log, failed, LINKS)
    await look(postgres_log)
    [alert] = await story.alerts()
    assert alert["kind"] == "missed_window"


async def test_a_pause_is_no_missed_window(postgres_log: PostgresLog) -> None:
    story = Story(postgres_log)
    await watch_cues(postgres_log, await story.begin(age=9 * HOUR))
    now = await story.now()
    resumed = await story.tell(
        "cue",
        story.cue_id,
        CuePaused(at=now - 8 * HOUR),
        CueResumed(at=now - MINUTE, next_run=now + HOUR),
    )
    await watch_cues(postgres_log, resumed)
    await look(postgres_log)
    assert await story.alerts() == []


async def test_once_seen_the_next_slot_is_told(postgres_log: PostgresLog) -> None:
    story = Story(postgres_log, schedule=Schedule(cron="* * * * *"))
    await watch_cues(postgres_log, await story.begin(age=HOUR))
    await look(postgres_log)
    [first] = await story.alerts()
    await acknowledge(postgres_log, story, first["id"])
    await look(postgres_log)
    rows = await postgres_log.database.rows(
        "select due_at - now() as wait from cue_watches where cue_id = %s", [story.cue_id]
    )
    assert MINUTE < rows[0]["wait"] <= 2 * MINUTE
    assert len(await story.alerts()) == 1


async def test_the_rows_follow_from_the_log(postgres_log: PostgresLog) -> None:
    differences = await verify(postgres_log.database)
    assert [d for d in differences if d.table == "alerts"] == []

"""A cue and its executions on a real log, with the notices that the relay would publish."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from libs.events.base import Event, Transport
from libs.events.cue_settings import (
    CueSettings,
    Schedule,
)
from libs.events.cues import (
    CueCreated,
)
from libs.events.envelope import Meta, Notice
from libs.events.execution_events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    DeliveryFailed,
    ExecutionScheduled,
    OutcomeReported,
)
from libs.events.log import PostgresLog
from libs.runtime.crypto import Keyring
from libs.runtime.ids import new_cue_id, new_uuid
from services.alerts.rules.links import Links
from tests.services.scheduler.examples import settings

LINKS = Links(dashboard_url="https://app.example", base_url="https://api.example")
KEYRING = Keyring.derived_from("a secret of at least 32 characters")
SECRET = "whsec_" + "5e" * 32
META = Meta(correlation_id="test", actor="test")
SECOND = timedelta(seconds=1)
HOURLY = Schedule(cron="0 * * * *")


class Story:
    """One account with one cue; `begin` declares it. Everything happens in order of telling."""

    def __init__(self, log: PostgresLog, **changes: Any) -> None:
        self.log = log
        self.account_id = new_uuid()
        self.cue_id = new_cue_id()
        self.settings: CueSettings = settings(**{"schedule": HOURLY, **changes})
        self.settings = replace(self.settings, name=f"Büro <b>{self.cue_id}</b>")

    async def now(self) -> datetime:
        """Read the database's clock."""
        async with self.log.transaction() as unit:
            return unit.now

    async def begin(self, age: timedelta = timedelta(0)) -> list[Notice]:
        """Declare the cue, as long ago as `age`."""
        born = await self.now() - age
        declared = CueCreated(
            at=born,
            cue_id=self.cue_id,
            account_id=self.account_id,
            settings=self.settings,
            next_run=None,
        )
        return await self.tell("cue", self.cue_id, declared)

    async def register(self, *, notify: bool = True, alert_webhook: str | None = None) -> str:
        """Give the account an address and a webhook secret; give the address."""
        email = f"{self.account_id}@example.com"
        sealed = KEYRING.seal(self.account_id, "webhook-secret", SECRET.encode())
        await self.log.database.execute(
            "insert into identities (account_id, email, email_notifications, alert_webhook_url,"
            " webhook_secret_sealed) values (%s, %s, %s, %s, %s)",
            [self.account_id, email, notify, alert_webhook, sealed],
        )
        return email

    async def execution(self, *more: Event, age: timedelta = timedelta(0)) -> list[Notice]:
        """Make an execution, and let these events happen to it."""
        at = await self.now() - age
        execution_id = new_uuid()
        first = ExecutionScheduled(
            at=at,
            execution_id=execution_id,
            account_id=self.account_id,
            cue_id=self.cue_id,
            transport=self.settings.transport,
            scheduled_for=at,
            due_at=at,
            triggered_by="manual_fire",
            expires_at=at if self.settings.transport is Transport.WORKER else None,
        )
        return await self.tell("execution", execution_id, first, *more)

    async def tell(self, category: str, key: str, *events: Event) -> list[Notice]:
        """Append events to a stream."""
        async with self.log.transaction() as unit:
            await unit.lock("cue", [self.cue_id])
            if category != "cue":
                await unit.lock(category, [key])
            unit.record(category, key, self.account_id, events, META)
            return [
                Notice(
                    id=item.id,
                    type=item.type,
                    stream_id=item.stream_id,
                    version=item.version,
                    account_id=item.account_id,
                    recorded_at=item.event.at,
                    success=(
                        item.event.report.success
                        if isinstance(item.event, OutcomeReported)
                        else None
                    ),
                )
                for item in unit.recorded
            ]

    async def failure(self, age: timedelta = timedelta(0)) -> list[Notice]:
        """Let an execution fail for good."""
        at = await self.now() - age
        return await self.execution(
            AttemptStarted(at=at, epoch=1, lease_until=at),
            AttemptFailed(
                at=at,
                epoch=1,
                error="status",
                message="the callback answered with an error status (500)",
                http_status=500,
            ),
            DeliveryFailed(at=at, attempts=1),
            age=age,
        )

    async def delivery(self, *more: Event, age: timedelta = timedelta(0)) -> list[Notice]:
        """Let an execution be delivered, and more happen to it."""
        at = await self.now() - age
        return await self.execution(
            AttemptStarted(at=at, epoch=1, lease_until=at),
            AttemptSucceeded(at=at, epoch=1, http_status=200, outcome_deadline_at=at),
            *more,
            age=age,
        )

    async def alerts(self, kind: str | None = None) -> list[Any]:
        """Read the cue's alerts, oldest first."""
        rows = await self.log.database.rows(
            "select id::text, kind, episode, execution_id::text, acknowledged_at, state"
            "  from alerts where cue_id = %s order by created_at, id",
            [self.cue_id],
        )
        return [row for row in rows if kind in (None, row["kind"])]

    async def notifications(self) -> list[Any]:
        """Read what was to be told, oldest first."""
        return await self.log.database.rows(
            "select subject, channel, kind, status, tries, due_at, error, content, cue_id"
            "  from notifications where account_id = %s order by created_at, subject, channel",
            [self.account_id],
        )


def execution_of(notices: Sequence[Notice]) -> str:
    """Give the id of the execution that notices are about."""
    return notices[0].stream_id.removeprefix("execution-")

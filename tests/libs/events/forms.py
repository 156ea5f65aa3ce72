"""Both forms of the log behind one face, so that one suite holds them to the same promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from libs.events.counters import Usage
from libs.events.envelope import decode, decode_event
from libs.events.log import Log, LogUnit, PostgresLog
from libs.events.memory import MemoryLog
from libs.events.streams import CATEGORIES


class Form(Protocol):
    """A log, and a look at what it has committed."""

    @property
    def log(self) -> Log[LogUnit]: ...

    async def stream(self, stream_id: str) -> list[tuple[int, Any]]:
        """The stream's versions and events, in order."""
        ...

    async def row(self, category: str, key: str) -> tuple[int, Any] | None:
        """The version and state on the stream's row."""
        ...

    async def usage(self, account_id: str) -> list[Usage]: ...

    async def activity(self, cue_id: str) -> tuple[int, datetime | None] | None:
        """The runs of a cue, and when its last one ended."""
        ...

    async def let_a_day_pass(self) -> None:
        """Make everything that is stored a day and a second older."""
        ...


class InMemory:
    def __init__(self) -> None:
        self._now = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
        self._memory = MemoryLog(lambda: self._now)

    @property
    def log(self) -> MemoryLog:
        return self._memory

    async def stream(self, stream_id: str) -> list[tuple[int, Any]]:
        return [(e.version, e.event) for e in self._memory.events if e.stream_id == stream_id]

    async def row(self, category: str, key: str) -> tuple[int, Any] | None:
        row = self._memory.rows(category).get(key)
        return (row["version"], row["state"]) if row else None

    async def usage(self, account_id: str) -> list[Usage]:
        return [part for part in self._memory.usage.values() if part.account_id == account_id]

    async def activity(self, cue_id: str) -> tuple[int, datetime | None] | None:
        row = self._memory.activity.get(cue_id)
        return (row["run_count"], row["last_run"]) if row else None

    async def let_a_day_pass(self) -> None:
        self._now += timedelta(days=1, seconds=1)


class OnPostgres:
    def __init__(self, log: PostgresLog) -> None:
        self._postgres = log

    @property
    def log(self) -> PostgresLog:
        return self._postgres

    async def stream(self, stream_id: str) -> list[tuple[int, Any]]:
        rows = await self._postgres.database.rows(
            "select version, type, schema_version, data::text from events"
            " where stream_id = %s order by version",
            [stream_id],
        )
        return [
            (r["version"], decode_event(r["type"], r["schema_version"], r["data"])) for r in rows
        ]

    async def row(self, category: str, key: str) -> tuple[int, Any] | None:
        kind = CATEGORIES[category]
        rows = await self._postgres.database.rows(
            f"select version, state::text from {kind.table} where id::text = %s", [key]
        )
        return (rows[0]["version"], decode(rows[0]["state"], kind.state_type)) if rows else None

    async def usage(self, account_id: str) -> list[Usage]:
        rows = await self._postgres.database.rows(
            "select account_id::text, period, executions, grace_started_at from usage"
            " where account_id = %s",
            [account_id],
        )
        return [Usage(**row) for row in rows]

    async def activity(self, cue_id: str) -> tuple[int, datetime | None] | None:
        rows = await self._postgres.database.rows(
            "select run_count, last_run from cue_activity where cue_id = %s", [cue_id]
        )
        return (rows[0]["run_count"], rows[0]["last_run"]) if rows else None

    async def let_a_day_pass(self) -> None:
        await self._postgres.database.execute(
            "update command_results set created_at = created_at - interval '86401 seconds'"
        )

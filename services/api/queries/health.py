"""What the health pages tell of the database and of what waits in it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from services.api.queries.pages import Reads


class Poller(NamedTuple):
    """The scheduler's last look at the cues that are due."""

    last_run: datetime
    seconds_ago: float
    cues_last_cycle: int
    cycle_duration_ms: int


class Queue(NamedTuple):
    """Work that waits, over all accounts."""

    pending_outbox: int
    stale_executions: int
    pending_retries: int
    pending_worker_claims: int


async def count_active_workers(database: Reads, stale_seconds: int) -> int:
    """Count customers' workers that have sent a heartbeat lately."""
    rows = await database.rows(
        "select count(*) as alive from api_workers"
        " where last_heartbeat_at > now() - %(stale)s * interval '1 second'",
        {"stale": stale_seconds},
    )
    return int(rows[0]["alive"])


async def read_poller(database: Reads) -> Poller | None:
    """Read the scheduler's last look; None before its first."""
    rows = await database.rows(
        "select last_run, extract(epoch from now() - last_run)::float as seconds_ago,"
        "       cues_last_cycle, cycle_duration_ms from api_poller",
        {},
    )
    return Poller(**rows[0]) if rows else None


async def read_queue(database: Reads) -> Queue:
    """Count what waits."""
    rows = await database.rows(
        "select pending_outbox, stale_executions, pending_retries, pending_worker_claims"
        "  from api_queue",
        {},
    )
    return Queue(**rows[0])

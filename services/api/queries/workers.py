"""Workers as the dispatcher has seen them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from services.api.queries.pages import Reads


class WorkerRow(NamedTuple):
    """A worker, and for how many seconds it has been silent."""

    worker_id: str
    handlers: list[str] | None
    registered_at: datetime
    last_heartbeat_at: datetime
    silent_seconds: float


async def list_workers(database: Reads, account_id: str) -> list[WorkerRow]:
    """Read the account's workers, latest heartbeat first."""
    rows = await database.rows(
        "select worker_id, handlers, registered_at, last_heartbeat_at,"
        "       extract(epoch from greatest(now() - last_heartbeat_at, interval '0'))::float"
        "         as silent_seconds"
        "  from api_workers where account_id = %(account)s"
        " order by last_heartbeat_at desc, worker_id",
        {"account": account_id},
    )
    return [WorkerRow(**row) for row in rows]

"""Workers as the server knows them."""

from __future__ import annotations

from datetime import datetime

from cueapi.models.model import Model


class Worker(Model):
    """A worker that has sent heartbeats; `heartbeat_status` is active, stale or dead."""

    worker_id: str
    heartbeat_status: str
    last_heartbeat: datetime
    seconds_since_heartbeat: int
    handlers: list[str]
    registered_since: datetime


class WorkerList(Model):
    """The workers of the account, latest heartbeat first."""

    workers: list[Worker]
    total: int


class WorkerHeartbeat(Model):
    """A worker's heartbeat was taken."""

    acknowledged: bool
    server_time: datetime

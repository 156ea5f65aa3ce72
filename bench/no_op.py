"""A worker whose handler does nothing, with its outcomes kept on disk as the daemon keeps them."""

from __future__ import annotations

import os
from pathlib import Path

from cueapi.worker import Worker
from cueapi_worker.spool import DiskSpool

worker = Worker(
    worker_id="bench",
    concurrency=int(os.environ.get("BENCH_CONCURRENCY", "8")),
    spool=DiskSpool(Path(os.environ["BENCH_SPOOL"])),
)


@worker.task("bench")
def nothing() -> None:
    """Do nothing."""

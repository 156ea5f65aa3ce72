"""Jobs and configurations to test with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cueapi.worker import Context, Job
from cueapi_worker.command import Account
from cueapi_worker.config import Config, config_of
from cueapi_worker.handler import Handler

ACCOUNT = Account("w1", "cue_sk_test", "http://localhost:8000")


def job(**payload: Any) -> Job:
    """A claimed execution with this payload."""
    return Job(
        execution_id="550e8400-e29b-41d4-a716-446655440000",
        payload={"task": "sync", **payload},
        task="sync",
        attempt=2,
        cue_id="cue_x7k9m2p4q8w1",
        cue_name="daily",
    )


def context(**payload: Any) -> Context:
    """What a handler gets for such a job."""
    return Context(job(**payload), "w1")


def handler(cmd: str | tuple[str, ...], **fields: Any) -> Handler:
    """A handler of the task."""
    return Handler("sync", cmd, **fields)


def config(folder: Path, **fields: Any) -> Config:
    """A configuration whose state lies in the folder."""
    return config_of(
        {
            "api_key": "cue_sk_test",
            "api_base": "http://cueapi.test",
            "worker_id": "w1",
            "state_dir": str(folder),
            "handlers": {"sync": "true"},
            **fields,
        }
    )

"""What to run for a job: words and environment, as a value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cueapi.worker import Job

from cueapi_worker.handler import Handler
from cueapi_worker.templates import filled, shell_line

# One variable may hold 128 KiB on Linux; more, and no process starts.
PAYLOAD_IN_ENVIRONMENT: Final = 100_000


@dataclass(frozen=True)
class Account:
    """As whom the worker works; handlers may call the API with it."""

    worker_id: str
    api_key: str
    base_url: str


@dataclass(frozen=True)
class Command:
    """Words to run in `cwd`, with `env` over the daemon's own environment."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str | None


def command_for(handler: Handler, job: Job, account: Account, folder: Path) -> Command:
    """Say what to run for a job; `folder` is the job's own, with its outcome file."""
    env = {name: filled(value, job.payload) for name, value in handler.env.items()}
    env |= _told(job, account, folder)
    match handler.cmd:
        case tuple():
            argv = tuple(filled(word, job.payload) for word in handler.cmd)
        case line if handler.unsafe_template:
            argv = ("/bin/sh", "-c", filled(line, job.payload))
        case line:
            shell = shell_line(line, job.payload)
            env |= shell.variables
            argv = ("/bin/sh", "-c", shell.line)
    return Command(argv, env, handler.cwd)


def outcome_file(folder: Path) -> Path:
    """Where a job's handler may write its outcome."""
    return folder / "outcome.json"


def payload_file(folder: Path) -> Path:
    """Where a job's payload lies."""
    return folder / "payload.json"


def payload_json(job: Job) -> str:
    """A job's payload as handlers read it."""
    return json.dumps(job.payload, ensure_ascii=False)


def _told(job: Job, account: Account, folder: Path) -> dict[str, str]:
    payload = payload_json(job)
    fits = len(payload.encode("utf-8", "surrogatepass")) <= PAYLOAD_IN_ENVIRONMENT
    return {
        "CUEAPI_EXECUTION_ID": job.execution_id,
        "CUEAPI_CUE_ID": job.cue_id or "",
        "CUEAPI_CUE_NAME": job.cue_name or "",
        "CUEAPI_TASK": job.task or "",
        "CUEAPI_ATTEMPT": str(job.attempt),
        "CUEAPI_WORKER_ID": account.worker_id,
        "CUEAPI_PAYLOAD": payload if fits else "",
        "CUEAPI_PAYLOAD_FILE": str(payload_file(folder)),
        "CUEAPI_API_KEY": account.api_key,
        "CUEAPI_BASE_URL": account.base_url,
        "CUEAPI_OUTCOME_FILE": str(outcome_file(folder)),
    }

"""`doctor`: looks at everything that a worker needs, and says what to do about what is wrong."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Final, Literal

from cueapi import CueAPI, CueAPIError

from cueapi_worker.access import Access
from cueapi_worker.config import Config
from cueapi_worker.handler import Handler
from cueapi_worker.spool import DiskSpool
from cueapi_worker.state import spool_folder

_SKEW_SECONDS: Final = 30.0
_SHOWN_KEY: Final = 12


@dataclass(frozen=True)
class Finding:
    """What one look found. `hint` says what to do next."""

    verdict: Literal["ok", "warning", "wrong"]
    text: str
    hint: str = ""


def examine(
    config: Config, access: Access, client: CueAPI, environ: Mapping[str, str], now: datetime
) -> Iterator[Finding]:
    """Look at handlers, disk, server, key and worker id, in this order."""
    for handler in config.handlers.values():
        yield _handler(handler, environ)
    yield _spool(config, environ)
    reached = _server(access, client, now)
    yield reached
    if reached.verdict != "wrong":
        yield from _account(config, access, client)


def _handler(handler: Handler, environ: Mapping[str, str]) -> Finding:
    if handler.cwd is not None and not Path(handler.cwd).is_dir():
        return Finding("wrong", f"{handler.task}: {handler.cwd} is no folder", "change its `cwd`")
    program = _program(handler)
    path = {**environ, **handler.env}.get("PATH")
    if program is not None and shutil.which(program, path=path) is None:
        hint = "install it, or write its full path"
        return Finding("warning", f"{handler.task}: {program} was not found", hint)
    if handler.unsafe_template:
        hint = "drop `unsafe_template`, unless only you can fire these cues"
        return Finding("warning", f"{handler.task}: payloads can run commands", hint)
    return Finding("ok", f"{handler.task}: {program or 'a shell line'}")


def _program(handler: Handler) -> str | None:
    if isinstance(handler.cmd, tuple):
        return handler.cmd[0]
    try:
        word = shlex.split(handler.cmd)[0]
    except (ValueError, IndexError):
        return None
    # A word of the shell's own grammar is none that could be looked for.
    return word if word.replace("/", "").replace("-", "").replace(".", "").isalnum() else None


def _spool(config: Config, environ: Mapping[str, str]) -> Finding:
    folder = spool_folder(config, environ)
    try:
        count = DiskSpool(folder).count()
        probe = folder / ".doctor"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Finding("wrong", f"{folder}: {error.strerror}", "set `state_dir` to your own folder")
    if count:
        return Finding("warning", f"{count} outcomes wait in {folder}", "a start reports them")
    return Finding("ok", f"outcomes are kept in {folder}")


def _server(access: Access, client: CueAPI, now: datetime) -> Finding:
    try:
        health = client.health.get()
    except CueAPIError as error:
        hint = "is `api_base` right, and the network there?"
        return Finding("wrong", f"{access.origin} does not answer: {error}", hint)
    skew = abs((now - _instant(health.timestamp)).total_seconds())
    if skew > _SKEW_SECONDS:
        hint = "let the clock be set over the network"
        return Finding("warning", f"the clock is {skew:.0f} s off the server's", hint)
    return Finding("ok", f"{access.origin} answers: {health.status}")


def _account(config: Config, access: Access, client: CueAPI) -> Iterator[Finding]:
    if access.api_key is None:
        hint = "run `cueapi-worker login`, or set CUEAPI_API_KEY"
        yield Finding("wrong", "there is no API key", hint)
        return
    try:
        me = client.account.me()
        workers = client.workers.list().workers
    except CueAPIError as error:
        hint = error.hint or "run `cueapi-worker login` for a new key"
        yield Finding("wrong", f"the key from {access.source} is refused: {error}", hint)
        return
    yield Finding("ok", f"key {access.api_key[:_SHOWN_KEY]}... from {access.source}: {me.email}")
    same = [each for each in workers if each.worker_id == config.worker_id]
    if same and same[0].heartbeat_status == "active":
        hint = "fine if it is this one; two of one name disturb each other"
        yield Finding("warning", f"a worker {config.worker_id} is at work now", hint)
    else:
        yield Finding("ok", f"worker id {config.worker_id}")


def _instant(value: datetime | str) -> datetime:
    read = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return read if read.tzinfo else read.replace(tzinfo=timezone.utc)

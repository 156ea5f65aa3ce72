"""What the commands do."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from time import sleep
from typing import Final

from cueapi import AuthenticationError, CueAPI, CueAPIError
from cueapi.worker import Worker

from cueapi_worker.access import Access, access_of, keep_key
from cueapi_worker.config import Config, read_config
from cueapi_worker.daemon import Daemon, hearing_signals
from cueapi_worker.doctor import Finding, examine
from cueapi_worker.durations import seconds
from cueapi_worker.errors import WorkerError
from cueapi_worker.service import install, place_of, run_program, service_file, uninstall
from cueapi_worker.signing_in import SignInFailed, sign_in

Environ = Mapping[str, str]
Action = Callable[[argparse.Namespace, Environ], int]

_ROUNDS: Final = 3
_MARKS: Final = {"ok": "✓", "warning": "!", "wrong": "✗"}


def start(given: argparse.Namespace, environ: Environ) -> int:
    """Work until told to stop."""
    if (given.app is None) == (given.config is None):
        raise WorkerError("say what to run: -c FILE, or MODULE:WORKER")
    if given.app is not None:
        return 0 if _worker_at(given.app).start() else 1
    daemon = Daemon(lambda: _configured(given), environ, _recovering(given.config, environ))
    with hearing_signals(daemon):
        return 0 if daemon.run() else 1


def status(given: argparse.Namespace, environ: Environ) -> int:
    """Send one heartbeat."""
    config, access = _read(given, environ)
    try:
        with _client(access) as client:
            client.workers.heartbeat(config.worker_id, handlers=[*config.handlers])
    except CueAPIError as error:
        raise WorkerError(f"{access.origin} did not take it: {error}", error.hint or "") from error
    _say(f"{config.worker_id} is known to {access.origin}, with {len(config.handlers)} handlers")
    return 0


def doctor(given: argparse.Namespace, environ: Environ) -> int:
    """Look at everything."""
    config, access = _read(given, environ)
    with _client(access) as client:
        found = [*examine(config, access, client, environ, datetime.now(timezone.utc))]
    for finding in found:
        _say(_told(finding))
    return 1 if any(finding.verdict == "wrong" for finding in found) else 0


def install_service(given: argparse.Namespace, environ: Environ) -> int:
    """Install the service."""
    config, _ = _read(given, environ)
    place = place_of(sys.platform, Path.home(), environ)
    if given.print:
        _say(service_file(place, given.config, config, environ))
        return 0
    install(place, given.config, config, environ, run_program)
    _say(f"Installed: {place.file}\nIts environment: {place.environment}")
    return 0


def uninstall_service(given: argparse.Namespace, environ: Environ) -> int:
    """Remove the service."""
    place = place_of(sys.platform, Path.home(), environ)
    removed = uninstall(place, run_program)
    _say(f"Removed: {place.file}" if removed else "There is no service.")
    return 0


def regenerate_key(given: argparse.Namespace, environ: Environ) -> int:
    """Replace the key."""
    _, access = _read(given, environ)
    try:
        with _client(access) as client:
            key = client.keys.regenerate().api_key
    except CueAPIError as error:
        raise WorkerError(f"the key stays: {error}", error.hint or "") from error
    _say(f"The new key is in {keep_key(given.config, key, None, environ)}")
    return 0


def login(given: argparse.Namespace, environ: Environ) -> int:
    """Get a key by mail."""
    _, access = _read(given, environ)
    key = _signed_in(access, given.email)
    _say(f"Logged in. The key is in {keep_key(given.config, key, given.email, environ)}")
    return 0


ACTIONS: Final[Mapping[str, Action]] = {
    "start": start,
    "status": status,
    "doctor": doctor,
    "install-service": install_service,
    "uninstall-service": uninstall_service,
    "regenerate-key": regenerate_key,
    "login": login,
}


def _configured(given: argparse.Namespace) -> Config:
    config = read_config(given.config)
    try:
        drain = config.drain if given.drain is None else seconds(given.drain)
    except ValueError as error:
        raise WorkerError(f"--drain: {error}") from error
    listen, metrics = given.listen or config.listen, given.metrics or config.metrics
    return replace(config, drain=drain, listen=listen, metrics=metrics)


def _read(given: argparse.Namespace, environ: Environ) -> tuple[Config, Access]:
    config = read_config(given.config)
    return config, access_of(config, environ)


def _client(access: Access) -> CueAPI:
    if access.api_key is None:
        return CueAPI.without_key(base_url=access.origin)
    return CueAPI(access.api_key, base_url=access.origin)


def _recovering(
    path: Path | None, environ: Environ
) -> Callable[[Config, AuthenticationError], Access]:
    def recover(config: Config, refused: AuthenticationError) -> Access:
        rotated = "was replaced by another" if refused.code == "key_rotated" else "does not count"
        if config.email is None or path is None:
            hint = "run `cueapi-worker login`, or name your `email` in the configuration"
            raise WorkerError(f"the API key {rotated}: {refused}", hint)
        access = access_of(config, environ)
        for round_ in range(_ROUNDS):
            try:
                key = _signed_in(access, config.email)
            except SignInFailed as error:
                if round_ == _ROUNDS - 1:
                    raise
                _say(f"{error}; trying again")
            else:
                keep_key(path, key, config.email, environ)
                return replace(access, api_key=key, source="sign-in")
        raise AssertionError("the last round returns or raises")

    return recover


def _signed_in(access: Access, email: str) -> str:
    with CueAPI.without_key(base_url=access.origin) as client:
        return sign_in(client, email, _say, sleep)


def _worker_at(place: str) -> Worker:
    module_name, _, name = place.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        worker = getattr(importlib.import_module(module_name), name or "worker")
    except (ImportError, AttributeError) as error:
        raise WorkerError(
            f"{place} cannot be loaded: {error}", "write it as module:worker"
        ) from error
    if not isinstance(worker, Worker):
        raise WorkerError(f"{place} is a {type(worker).__name__}, no cueapi.worker.Worker")
    return worker


def _told(finding: Finding) -> str:
    hint = f"\n    {finding.hint}" if finding.hint else ""
    return f"{_MARKS[finding.verdict]} {finding.text}{hint}"


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201

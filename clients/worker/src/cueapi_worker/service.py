"""Installing the worker as a service of the user's, and removing it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cueapi_worker.config import Config
from cueapi_worker.credentials import config_home, state_home, write_private
from cueapi_worker.errors import WorkerError
from cueapi_worker.service_files import (
    LABEL,
    UNIT,
    ServicePlan,
    environment_file,
    launchd_plist,
    systemd_unit,
)

Run = Callable[[Sequence[str]], None]
"""Runs a program to its end. Raises WorkerError if it fails."""


@dataclass(frozen=True)
class Place:
    """Where the service's files belong, and what has it started and stopped."""

    file: Path
    environment: Path
    start: Sequence[Sequence[str]]
    stop: Sequence[Sequence[str]]
    after_removal: Sequence[Sequence[str]] = ()


def place_of(platform: str, home: Path, environ: Mapping[str, str]) -> Place:
    """Say where the service belongs on this platform. Raises WorkerError for an unknown one."""
    settings = config_home(environ)
    environment = settings / "cueapi" / "worker.env"
    if platform == "darwin":
        file = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        load = ["launchctl", "load", "-w", str(file)]
        return Place(file, environment, [load], [["launchctl", "unload", "-w", str(file)]])
    if platform.startswith("linux"):
        systemctl = ["systemctl", "--user"]
        reload = [*systemctl, "daemon-reload"]
        return Place(
            settings / "systemd" / "user" / UNIT,
            environment,
            [reload, [*systemctl, "enable", "--now", UNIT]],
            [[*systemctl, "disable", "--now", UNIT]],
            [reload],
        )
    hint = "run `cueapi-worker start` under a supervisor of your own"
    raise WorkerError(f"services cannot be installed on {platform}", hint)


def service_file(
    place: Place, config_path: Path, config: Config, environ: Mapping[str, str]
) -> str:
    """Write the file that tells the platform of the service."""
    argv = [sys.executable, "-m", "cueapi_worker", "start", "-c", str(config_path.resolve())]
    plan = ServicePlan(argv, place.environment, config.drain)
    if place.file.suffix == ".plist":
        return launchd_plist(plan, _environment(environ), state_home(environ)).decode()
    return systemd_unit(plan)


def install(
    place: Place, config_path: Path, config: Config, environ: Mapping[str, str], run: Run
) -> None:
    """Write the service's files and start it. Raises WorkerError.

    Its environment is this one's `CUEAPI_*` variables and PATH; an environment file that exists
    stays as it is.
    """
    for folder in (place.file.parent, place.environment.parent, state_home(environ)):
        folder.mkdir(parents=True, exist_ok=True)
    if not place.environment.exists():
        write_private(place.environment, environment_file(_environment(environ)))
    write_private(place.file, service_file(place, config_path, config, environ))
    for command in place.start:
        run(command)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name.startswith("CUEAPI_") or name == "PATH"
    }


def uninstall(place: Place, run: Run) -> bool:
    """Stop the service and remove its file; false if there is none. Raises WorkerError.

    The environment file stays: it is the user's.
    """
    if not place.file.exists():
        return False
    for command in place.stop:
        run(command)
    place.file.unlink()
    for command in place.after_removal:
        run(command)
    return True


def run_program(argv: Sequence[str]) -> None:
    """Run a program to its end. Raises WorkerError if it is missing or fails."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WorkerError(f"`{' '.join(argv)}` did not run: {error}") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise WorkerError(f"`{' '.join(argv)}` failed: {said}", "its files are written; see there")

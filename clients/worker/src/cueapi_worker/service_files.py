"""The files that make the worker a service: a systemd user unit, a launchd property list."""

from __future__ import annotations

import plistlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LABEL: Final = "ai.cueapi.worker"
UNIT: Final = "cueapi-worker.service"
# The drain's end, SIGTERM to SIGKILL of handlers, and a little.
_STOP_MARGIN: Final = 20


@dataclass(frozen=True)
class ServicePlan:
    """What the service runs: words, the file of its environment, seconds it may take to stop."""

    argv: Sequence[str]
    environment_file: Path
    drain: float


def systemd_unit(plan: ServicePlan) -> str:
    """Write the systemd unit."""
    return f"""\
[Unit]
Description=CueAPI worker
Documentation=https://docs.cueapi.ai
After=network-online.target
Wants=network-online.target

[Service]
ExecStart={" ".join(_escaped(_quoted(word)) for word in plan.argv)}
ExecReload=/bin/kill -HUP $MAINPID
EnvironmentFile=-{_escaped(str(plan.environment_file))}
Restart=always
RestartSec=5
KillMode=mixed
TimeoutStopSec={round(plan.drain) + _STOP_MARGIN}

[Install]
WantedBy=default.target
"""


def launchd_plist(plan: ServicePlan, environment: Mapping[str, str], logs: Path) -> bytes:
    """Write the launchd property list; launchd reads no environment file, so it is copied in."""
    document = {
        "Label": LABEL,
        "ProgramArguments": list(plan.argv),
        "EnvironmentVariables": dict(environment),
        "RunAtLoad": True,
        "KeepAlive": True,
        "ThrottleInterval": 5,
        "ExitTimeOut": round(plan.drain) + _STOP_MARGIN,
        "StandardOutPath": str(logs / "cueapi-worker.log"),
        "StandardErrorPath": str(logs / "cueapi-worker.log"),
    }
    return plistlib.dumps(document)


def environment_file(environment: Mapping[str, str]) -> str:
    """Write an environment file as systemd reads it."""
    lines = [f"{name}={_quoted(value)}" for name, value in sorted(environment.items())]
    return "".join(f"{line}\n" for line in ["# Read by cueapi-worker.service.", *lines])


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _escaped(text: str) -> str:
    # In a unit systemd takes % for a specifier and $ for a variable.
    return text.replace("%", "%%").replace("$", "$$")

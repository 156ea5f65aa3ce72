"""What the stack runs, other than its two servers."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Programs:
    """Command lines by name: preparations run side by side to their end, then the services."""

    preparations: Mapping[str, list[str]]
    services: Mapping[str, list[str]]


SERVICES = ("scheduler", "dispatcher", "outcomes", "alerts", "api")

CUEAPI = Programs(
    preparations={
        "migrate": [sys.executable, "-m", "libs.events", "migrate"],
        "provision": [sys.executable, "-m", "libs.events", "provision"],
    },
    services={name: [sys.executable, "-m", f"services.{name}"] for name in SERVICES},
)

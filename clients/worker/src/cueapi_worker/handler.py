"""What the configuration says about one task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Handler:
    """A task's command. A string `cmd` runs in the shell, a tuple without one.

    `timeout` is in seconds. `concurrency` bounds this task's runs, None leaves it to the whole.
    `unsafe_template` puts values of the payload raw into a string `cmd`.
    """

    task: str
    cmd: str | tuple[str, ...]
    timeout: float = 300.0
    cwd: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    concurrency: int | None = None
    unsafe_template: bool = False

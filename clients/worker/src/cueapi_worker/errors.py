"""What keeps the daemon from working, told to whoever runs it."""

from __future__ import annotations


class WorkerError(Exception):
    """The daemon can't go on. `hint` says what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(WorkerError):
    """The configuration file is missing, unreadable or wrong."""

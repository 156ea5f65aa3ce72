"""Waiting for what another process does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic


def until(look: Callable[[], object]) -> None:
    """Look again and again until it is true; an AssertionError after 20 s."""
    deadline, pause = monotonic() + 20, threading.Event()
    while not look():
        assert monotonic() < deadline
        pause.wait(0.01)

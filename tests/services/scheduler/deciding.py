"""Given what happened, when this is decided, then that follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from libs.events.base import Event, Rejection
from libs.events.testing import Decided, Given
from libs.events.testing import given as given_stream

__all__ = ["Decided", "Given", "events_of", "given", "refused"]


def given(*events: Event) -> Given[Any]:
    """Fold a stream whose events are put together by a test, so that types cannot tell which."""
    stream: Callable[..., Given[Any]] = given_stream
    return stream(*events)


def events_of(decided: Decided) -> list[Any]:
    verdict = decided.verdict
    assert not isinstance(verdict, Rejection), verdict
    return [verdict] if isinstance(verdict, Event) else list(verdict)


def refused(code: str) -> Rejection:
    return Rejection(code=code, message="")

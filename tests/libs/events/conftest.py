"""Fixtures of the kernel's tests."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.libs.events.forms import Form, InMemory, OnPostgres


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged, instead of on the terminal."""
    with capture_logs() as captured:
        yield captured


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def form(request: pytest.FixtureRequest) -> Form:
    """Each form of the log in turn."""
    if request.param == "memory":
        return InMemory()
    return OnPostgres(request.getfixturevalue("postgres_log"))

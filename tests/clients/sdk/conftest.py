"""The whole stack, for the tests that need it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from cueapi import CueAPI

from tests.e2e.world import World, running


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A stack of its own: that of tests/e2e knows each request that is made of it."""
    async with running(tmp_path_factory.mktemp("sdk")) as world:
        yield world


@pytest.fixture
def client(stack: World) -> Iterator[CueAPI]:
    """A client of a new account."""
    with CueAPI.without_key(base_url=stack.stack.base_url) as stranger:
        key = stranger.account.register(f"{uuid4()}@example.com").api_key
        yield stranger.with_options(api_key=key)

"""The dashboard in a real browser, over the embedded stack.

Only `make test-browser` collects these: they need Debian's Chromium.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.clients.dashboard.browser import Visit, Visitor, launched
from tests.e2e.client import Api
from tests.e2e.world import World, running

collect_ignore_glob = [] if os.environ.get("CUEAPI_TEST_BROWSER") else ["test_*.py"]


@pytest.fixture(scope="session")
async def dash_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One stack for all of them; every test has an account of its own."""
    async with running(tmp_path_factory.mktemp("dashboard")) as world:
        yield world


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest.fixture
async def api(dash_world: World) -> Api:
    """A client of an account of the test's own."""
    return await dash_world.account()


@pytest.fixture
async def visitor(dash_world: World, chromium: Browser) -> AsyncIterator[Visitor]:
    """Opens the dashboard as often as wanted; what its pages complained of fails the test."""
    visitor = Visitor(chromium, dash_world.stack.base_url)
    yield visitor
    await visitor.close()
    assert visitor.complaints == []


@pytest.fixture
async def visit(visitor: Visitor, api: Api) -> Visit:
    """The dashboard at desk width, signed in as `api`."""
    return await visitor.signed_in(api)

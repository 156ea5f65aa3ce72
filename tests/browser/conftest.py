"""The pages in a real browser. Only `make test-browser` collects these: they need Chromium."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import closing

import pytest
import uvicorn
from playwright.async_api import Browser, async_playwright

from deploy.local.ports import free_port
from libs.runtime.crypto import Keyring
from libs.runtime.http.names import NameLookup
from services.api.app import build
from services.api.queries.pages import Pages
from services.api.routes.ports import Ports, Rules
from tests.e2e.waiting import eventually
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.fakes import FakeBus, FakeStore, NoLog, PostBox

collect_ignore_glob = [] if os.environ.get("CUEAPI_TEST_BROWSER") else ["test_*.py"]

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# Nothing but the pages is asked for, and it runs as root in a container.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def origin() -> AsyncIterator[str]:
    """The API on fakes, listening."""
    store, port = FakeStore(), free_port()
    with closing(NameLookup(addresses_of)) as names:
        ports = Ports(
            store=store,
            pages=Pages(store),
            bus=FakeBus(store),
            log=NoLog(),
            keyring=Keyring.derived_from(SECRET),
            names=names,
            mailer=PostBox(),
            rules=Rules(),
        )
        config = uvicorn.Config(
            build(ports), port=port, lifespan="off", log_level="error", ws="none"
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())

        async def is_started() -> bool | None:
            return server.started or None

        await eventually(is_started, "the server listens")
        yield f"http://localhost:{port}"
        server.should_exit = True
        await serving

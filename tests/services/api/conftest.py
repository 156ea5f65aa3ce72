from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from libs.runtime.crypto import Keyring
from libs.runtime.http.names import NameLookup
from services.api.app import build
from services.api.queries.pages import Pages
from services.api.routes.ports import Ports, Rules
from tests.services.api.fakes import FakeBus, FakeStore, NoLog, PostBox

API_KEY = "cue_sk_" + "a1b2c3d4" * 4
SECRET = "s" * 40


@dataclass
class Fixture:
    """The application on fakes, and a client with a key."""

    client: httpx.AsyncClient
    store: FakeStore
    bus: FakeBus
    ports: Ports


def addresses_of(host: str) -> tuple[str, ...]:
    if host == "internal.example.com":
        return ("10.0.0.7",)
    raise OSError("no name server in tests")


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged, instead of on the terminal."""
    with capture_logs() as captured:
        yield captured


@pytest.fixture
def names() -> Iterator[NameLookup]:
    lookup = NameLookup(addresses_of)
    yield lookup
    lookup.close()


@pytest.fixture
def rules() -> Rules:
    return Rules(session_secret=SECRET)


@pytest.fixture
async def api(names: NameLookup, rules: Rules) -> AsyncIterator[Fixture]:
    store = FakeStore()
    bus = FakeBus(store)
    ports = Ports(
        store=store,
        pages=Pages(store),
        bus=bus,
        log=NoLog(),
        keyring=Keyring.derived_from(SECRET),
        names=names,
        mailer=PostBox(),
        rules=rules,
    )
    transport = httpx.ASGITransport(app=build(ports))
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://api", headers=headers
    ) as client:
        yield Fixture(client, store, bus, ports)

"""`python -m tests.contract.reference`: write what docs/reference/ says of the HTTP API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from libs.runtime.crypto import Keyring
from libs.runtime.http.names import NameLookup
from services.api.app import build
from services.api.codes import CODES
from services.api.codes.told import markdown
from services.api.queries.pages import Pages
from services.api.routes.describing import ERROR_PAGE
from services.api.routes.ports import Ports, Rules
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.fakes import FakeBus, FakeStore, NoLog, PostBox
from tests.services.api.real import client_of

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


async def pages() -> Mapping[str, str]:
    """Every generated page by its file's name."""
    document = json.dumps(await _openapi(), indent=1, ensure_ascii=False)
    return {"errors.md": markdown(CODES, ERROR_PAGE), "openapi.json": document + "\n"}


async def _openapi() -> object:
    store = FakeStore()
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
        async with client_of(build(ports)) as client:
            return (await client.get("/openapi.json")).json()


if __name__ == "__main__":
    for name, text in asyncio.run(pages()).items():
        (FOLDER / name).write_text(text)

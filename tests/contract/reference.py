"""`python -m tests.contract.reference`: write the pages of docs/reference/ that the code makes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from libs.events.asyncapi import document as asyncapi
from libs.runtime.crypto import Keyring
from libs.runtime.http.names import NameLookup
from services.api.app import build
from services.api.codes import CODES
from services.api.codes.told import markdown
from services.api.queries.pages import Pages
from services.api.routes.describing import ERROR_PAGE
from services.api.routes.ports import Ports, Rules
from tests.docs.api_pages import api_pages
from tests.docs.messages_page import messages_page
from tests.docs.settings_page import settings_page
from tests.services.api.conftest import SECRET, addresses_of
from tests.services.api.fakes import FakeBus, FakeStore, NoLog, PostBox
from tests.services.api.real import client_of

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


async def pages() -> Mapping[str, str]:
    """Every generated page by its file's name."""
    document = await _openapi()
    return {
        "errors.md": markdown(CODES, ERROR_PAGE),
        "openapi.json": json.dumps(document, indent=1, ensure_ascii=False) + "\n",
        "settings.md": settings_page(),
        "messages.md": messages_page(asyncapi()),
        **api_pages(document),
    }


async def _openapi() -> dict[str, Any]:
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
            return dict((await client.get("/openapi.json")).json())


if __name__ == "__main__":
    for name, text in asyncio.run(pages()).items():
        (FOLDER / name).write_text(text)

"""Every link of the documentation leads somewhere, and every page is in the contents."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Any

import pytest
from typing_extensions import override

from services.api.routes.docs import FOLDER, Site, site
from services.api.rules.site import ROOT, address_of
from tests.services.api.conftest import Fixture

PAGES = site().files
# For people who work on the code: read in the repository, not served.
INTERNAL = {"architecture.md", "how-to-add.md", "simulation.md"}
IN_SOURCE = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


class Links(HTMLParser):
    """What a page leads to, and what leads into it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.anchors: list[str] = []
        self.feed(page)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                self.targets.add(value)
            if name == "id" and value is not None:
                self.anchors.append(value)


@cache
def links_of(docs: Site, file: str) -> Links:
    return Links(docs.page(file).plain.decode())


@pytest.mark.parametrize("file", PAGES)
def test_an_anchor_is_there_once(docs: Site, file: str) -> None:
    anchors = links_of(docs, file).anchors
    assert sorted(anchors) == sorted(set(anchors))


@pytest.mark.parametrize("file", PAGES)
def test_links_within_the_pages_lead_to_an_anchor(docs: Site, file: str) -> None:
    pages = {address_of(each): each for each in docs.files}
    lost = []
    for target in links_of(docs, file).targets:
        path, _, anchor = target.partition("#")
        page = file if not path else pages.get(path)
        if page is not None and anchor and anchor not in links_of(docs, page).anchors:
            lost.append(target)
    assert lost == []


async def test_links_to_this_server_are_answered(api: Fixture, docs: Site) -> None:
    targets = {
        target.partition("#")[0]
        for file in PAGES
        for target in links_of(docs, file).targets
        if target.startswith("/")
    }
    # The dashboard is served, and tested, by itself.
    answers: dict[str, Any] = {
        path: (await api.client.get(path)).status_code for path in targets - {"/dashboard"}
    }
    assert len(answers) > len(PAGES)
    assert {path: status for path, status in answers.items() if status != 200} == {}


@pytest.mark.parametrize("file", PAGES)
def test_what_a_source_links_to_is_in_the_repository(file: str) -> None:
    source = FENCED.sub("", (FOLDER / file).read_text())
    named = [
        target.partition("#")[0]
        for target in IN_SOURCE.findall(source)
        if not target.startswith(("http", "/", "#", "mailto:"))
    ]
    assert [name for name in named if not ((FOLDER / file).parent / name).exists()] == []


def test_every_file_for_readers_is_a_page_once() -> None:
    there = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.md")}
    for_readers = {
        file
        for file in there - INTERNAL
        if "decisions" not in PurePosixPath(file).parts and not file.endswith("README.md")
    }
    assert sorted(PAGES) == sorted(for_readers)


def test_addresses_are_unique_and_errors_stay_where_they_were(docs: Site) -> None:
    assert len({address_of(file) for file in PAGES}) == len(PAGES)
    assert address_of("reference/errors.md") == f"{ROOT}/errors"
    assert address_of("index.md") == ROOT
    assert address_of("self-hosting/index.md") == f"{ROOT}/self-hosting"

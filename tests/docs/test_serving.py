"""How the documentation and the status page are served: by a strict policy, and by ETag."""

from __future__ import annotations

import re

import pytest

from services.api.routes.docs import FOLDER
from tests.services.api.conftest import Fixture

PAGES = ["/docs", "/docs/quickstart", "/docs/errors", "/status-page"]


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_may_load_only_what_is_ours(api: Fixture, path: str) -> None:
    page = await api.client.get(path, headers={"Authorization": ""})
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "style=" not in page.text
    assert not re.findall(r"<script(?![^>]* src=)", page.text)
    assert not re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(?:https?:)?//', page.text)


@pytest.mark.parametrize("path", [*PAGES, "/docs/search.json", "/docs/assets/docs.css"])
async def test_who_has_it_already_gets_no_body(api: Fixture, path: str) -> None:
    first = await api.client.get(path)
    again = await api.client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_pages_travel_compressed(api: Fixture) -> None:
    page = await api.client.get("/docs/errors", headers={"Accept-Encoding": "gzip"})
    assert page.headers["content-encoding"] == "gzip"
    assert page.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/docs/reference/errors", "/docs/errors"),
        ("/docs/index", "/docs"),
        ("/docs/self-hosting/index", "/docs/self-hosting"),
    ],
)
async def test_a_page_has_one_address(api: Fixture, old: str, new: str) -> None:
    moved = await api.client.get(old)
    assert (moved.status_code, moved.headers["location"]) == (301, new)


@pytest.mark.parametrize("file", ["quickstart.md", "reference/errors.md", "index.md"])
async def test_a_page_has_a_twin_in_markdown(api: Fixture, file: str) -> None:
    twin = await api.client.get(f"/docs/{file}")
    assert twin.headers["content-type"].startswith("text/markdown")
    assert twin.text == (FOLDER / file).read_text()


@pytest.mark.parametrize(
    "path",
    [
        "/docs/nothing",
        "/docs/architecture.md",
        "/docs/contents.toml",
        "/docs/assets/nothing.css",
        "/docs/..%2fREADME.md",
        "/docs/assets/..%2f..%2fpyproject.toml",
        "/docs/%2fetc%2fpasswd.json",
        "/status-page/index.html",
        "/status-page/..%2fstatus%2fstatus.js",
    ],
)
async def test_nothing_else_is_served(api: Fixture, path: str) -> None:
    assert (await api.client.get(path)).status_code == 404


async def test_people_who_mistype_get_a_page_and_programs_an_error(api: Fixture) -> None:
    page = await api.client.get("/docs/quikstart", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 404
    assert "There is no such page" in page.text
    assert "unsafe" not in page.headers["content-security-policy"]
    error = (await api.client.get("/docs/quikstart")).json()["error"]
    assert error["code"] == "not_found"


async def test_models_find_every_page(api: Fixture) -> None:
    listed = (await api.client.get("/llms.txt")).text
    assert listed.startswith("# CueAPI\n\n> CueAPI runs scheduled work")
    links = re.findall(r"\]\(http://localhost:8000(/docs/[^)]+\.md)\)", listed)
    assert len(links) > 30
    assert [link for link in links if (await api.client.get(link)).status_code != 200] == []


async def test_the_search_finds_headings_and_their_words(api: Fixture) -> None:
    rows = (await api.client.get("/docs/search.json")).json()
    (retries,) = [row for row in rows if row["url"] == "/docs/concepts/executions#retries"]
    assert (retries["page"], retries["title"]) == ("Executions and attempts", "Retries")
    assert "Retry-After" in retries["text"]


async def test_the_status_page_reads_what_is_there(api: Fixture) -> None:
    script = (await api.client.get("/status-page/status.js")).text
    history = (await api.client.get("/v1/status/history")).json()
    health = (await api.client.get("/health")).json()
    assert {"status", "components", "incidents"} <= history.keys()
    assert all(f"{each['name']}:" in script for each in history["components"])
    assert all(f"{name}:" in script for name in health["services"] if name != "worker")

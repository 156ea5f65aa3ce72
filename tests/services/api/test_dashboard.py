"""The dashboard's files, and the cookie by which it outlives a reload."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from services.api.routes.dashboard_session import COOKIE
from tests.services.api.conftest import Fixture

SESSION = "/dashboard/session"


async def test_the_page_may_run_its_own_files_and_its_import_map_alone(api: Fixture) -> None:
    page = await api.client.get("/dashboard")
    (imports,) = re.findall(r'<script type="importmap">(.*?)</script>', page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(imports.encode()).digest()).decode()
    directives = dict(
        part.split(" ", 1) for part in page.headers["content-security-policy"].split("; ")
    )
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == f"'self' 'sha256-{digest}'"
    assert directives["style-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"
    assert page.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/dashboard/", "/dashboard/cues", "/dashboard/cues/cue_1/edit"])
async def test_addresses_of_the_page_answer_the_page(api: Fixture, path: str) -> None:
    page = await api.client.get(path)
    assert page.status_code == 200
    assert page.content == (await api.client.get("/dashboard")).content


@pytest.mark.parametrize(
    "path", ["app/nothing.js", "../pyproject.toml", "%2e%2e/x.py", "vendor/README.md"]
)
async def test_what_is_no_file_of_it_is_not_found(api: Fixture, path: str) -> None:
    assert (await api.client.get(f"/dashboard/{path}")).status_code == 404


async def test_everything_that_the_page_names_is_there(api: Fixture) -> None:
    page = await api.client.get("/dashboard")
    named = re.findall(r'"(/dashboard/[^"]+)"', page.text)
    assert len(named) > 10
    for path in named:
        assert (await api.client.get(path)).status_code == 200, path


async def test_vendored_files_are_kept_for_good_and_others_asked_for_again(api: Fixture) -> None:
    lasting = await api.client.get("/dashboard/vendor/preact-11.2.0/preact.mjs")
    assert "immutable" in lasting.headers["cache-control"]
    own = await api.client.get("/dashboard/theme.js")
    assert own.headers["cache-control"] == "no-cache"
    again = await api.client.get(
        "/dashboard/theme.js", headers={"If-None-Match": own.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


async def test_each_representation_has_an_etag_of_its_own(api: Fixture) -> None:
    zipped = await api.client.get("/dashboard/theme.js", headers={"Accept-Encoding": "gzip"})
    plain = await api.client.get("/dashboard/theme.js", headers={"Accept-Encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert zipped.text == plain.text
    assert zipped.headers["etag"] != plain.headers["etag"]
    assert not zipped.headers["etag"].startswith("W/")


async def test_without_a_cookie_there_is_no_session_to_resume(api: Fixture) -> None:
    del api.client.headers["Authorization"]
    assert (await api.client.post(SESSION)).status_code == 204


async def test_a_forged_cookie_is_refused(api: Fixture) -> None:
    del api.client.headers["Authorization"]
    refused = await api.client.post(SESSION, headers={"Cookie": f"{COOKIE}=a.b.c"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_session")


async def test_signing_out_takes_the_cookie_away(api: Fixture) -> None:
    ended = await api.client.delete(SESSION)
    assert ended.status_code == 204
    assert "max-age=0" in ended.headers["set-cookie"].lower()

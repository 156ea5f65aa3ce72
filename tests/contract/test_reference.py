"""The pages in docs/reference/ are those that the code makes, and every code has its section."""

from __future__ import annotations

import re

import pytest

from services.api.codes import CODES, code_on_the_wire
from services.api.routes.error_page import ERRORS_PATH
from tests.contract.reference import FOLDER, pages
from tests.services.api.bodies import CUE
from tests.services.api.conftest import Fixture


async def test_the_pages_are_up_to_date() -> None:
    made = await pages()
    old = [name for name, text in made.items() if (FOLDER / name).read_text() != text]
    assert old == [], "run `python -m tests.contract.reference`"


def test_every_code_has_its_section() -> None:
    sections = re.findall(r"^## (\w+)$", (FOLDER / "errors.md").read_text(), re.MULTILINE)
    assert sections == sorted({code_on_the_wire(code) for code in CODES})


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_code_says_why_and_what_to_do(code: str) -> None:
    row = CODES[code]
    assert all(text.endswith(".") for text in (row.meaning, row.cause, row.hint))
    assert not row.example.endswith(".") or row.status == 403
    assert 400 <= row.status < 600


async def test_the_api_serves_the_page_and_each_error_leads_to_it(api: Fixture) -> None:
    error = (await api.client.post("/v1/cues", json={**CUE, "name": 7})).json()["error"]
    page, _, anchor = error["doc_url"].partition("#")
    assert page == f"http://localhost:8000{ERRORS_PATH}"
    served = await api.client.get(ERRORS_PATH, headers={"Authorization": ""})
    assert served.status_code == 200
    assert f'<h2 id="{anchor}">' in served.text
    assert error["hint"] == CODES[error["code"]].hint


async def test_the_page_loads_nothing_from_elsewhere(api: Fixture) -> None:
    served = await api.client.get(ERRORS_PATH)
    policy = served.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert not re.findall(r"(?:src|href)=\"(?!#|/(?!/))", served.text)


async def test_the_page_has_a_section_for_every_code(api: Fixture) -> None:
    served = await api.client.get(ERRORS_PATH)
    sections = re.findall(r'<h2 id="(\w+)">', served.text)
    assert sections == sorted({code_on_the_wire(code) for code in CODES})

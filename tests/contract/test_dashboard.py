"""The dashboard calls what the API has: its addresses are held to the document."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "reference" / "openapi.json"
MODULES = sorted((ROOT / "clients" / "dashboard" / "app").rglob("*.js"))
# A whole address in a string; what is put into it stands for a parameter.
ADDRESS = re.compile(r"""(?<=["`])/v1/[^"`?]*""")
PARAMETER = re.compile(r"\$\{[^}]*\}|\{[^}]*\}")


def shapes(addresses: list[str]) -> set[str]:
    return {PARAMETER.sub("{}", address) for address in addresses}


@pytest.fixture(scope="module")
def documented() -> set[str]:
    return shapes(list(json.loads(DOCUMENT.read_text())["paths"]))


def test_every_address_it_calls_is_documented(documented: set[str]) -> None:
    called = shapes([found for each in MODULES for found in ADDRESS.findall(each.read_text())])
    assert len(called) > 25
    assert called - documented == set()


def test_modules_are_small_enough_to_be_read() -> None:
    assert {each.name for each in MODULES if len(each.read_text().splitlines()) > 200} == set()

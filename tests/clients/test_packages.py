"""Each client package stands alone: what it imports is what it declares."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CLIENTS = Path(__file__).parents[2] / "clients"
PACKAGES = sorted(path.parent for path in CLIENTS.glob("*/pyproject.toml"))
NEWER_THAN_3_10 = ["datetime.UTC", "tomllib", "typing.Self", "typing.override", "enum.StrEnum"]
MODULES = {"cueapi-sdk": "cueapi", "pyyaml": "yaml"}
PARTS = {"pydantic_core": "pydantic"}
# What an optional part of the SDK is for; whoever uses that part has it installed.
FOR_USERS_OF_IT = {"sdk": {"fastapi", "flask", "starlette"}}


def declared(package: Path) -> set[str]:
    """The modules of a package's dependencies."""
    project: dict[str, Any] = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    names = [re.split(r"[^\w-]", each, maxsplit=1)[0].lower() for each in project["dependencies"]]
    return {MODULES.get(name, name.replace("-", "_")) for name in names}


def imported(package: Path) -> Iterator[str]:
    """What the modules of a package import when they run, dotted."""
    for path in package.glob("src/**/*.py"):
        yield from _imports(ast.parse(path.read_text()))


def _imports(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                for other in child.orelse:
                    yield from _imports(other)
            case ast.Import():
                yield from (alias.name for alias in child.names)
            case ast.ImportFrom():
                yield from (f"{child.module}.{alias.name}" for alias in child.names)
            case _:
                yield from _imports(child)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_declares_what_it_imports_and_no_more(package: Path) -> None:
    (own,) = [path.name for path in (package / "src").iterdir()]
    named = {name.partition(".")[0] for name in imported(package)}
    roots = {PARTS.get(name, name) for name in named}
    foreign = roots - sys.stdlib_module_names - {own} - FOR_USERS_OF_IT.get(package.name, set())
    assert foreign == declared(package)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_takes_nothing_that_its_oldest_python_lacks(package: Path) -> None:
    assert not set(imported(package)) & set(NEWER_THAN_3_10)

"""What `import cueapi` gives, and what it costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import cueapi
import pytest


@pytest.mark.parametrize("name", cueapi.__all__)
def test_every_name_can_be_imported(name: str) -> None:
    assert getattr(cueapi, name) is not None


def test_no_other_name_can() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = cueapi.nothing


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(cueapi.__file__).read_text())
    seen = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("cueapi.")
        for alias in node.names
    }
    assert seen == set(cueapi.__all__)


def test_importing_loads_nothing_that_is_not_used() -> None:
    program = "import sys, cueapi; print(*{'httpx', 'asyncio', 'dataclasses'} & sys.modules.keys())"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert ran.stdout.split() == []

"""The release before this one, as its commit has it. Only `make test-upgrade` collects these."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.programs import SERVICES
from deploy.local.service import REPOSITORY
from tests.faults.conftest import dice, pytest_runtest_makereport

__all__ = ["dice", "pytest_runtest_makereport"]

collect_ignore_glob = [] if os.environ.get("CUEAPI_TEST_UPGRADE") else ["test_*.py"]

# Until there is a tag: the last commit before what this release began with.
BEFORE_THE_FIRST_TAG = "4d79131"


def _git(*arguments: str) -> bytes:
    return subprocess.run(
        ["git", *arguments], cwd=REPOSITORY, check=True, stdout=subprocess.PIPE
    ).stdout


def previous_release() -> str:
    """The commit of the release before; `CUEAPI_PREVIOUS_RELEASE` names another one."""
    named = os.environ.get("CUEAPI_PREVIOUS_RELEASE")
    tags = _git("tag", "--list", "v*", "--sort=-version:refname").decode().split()
    return named or (tags[0] if tags else BEFORE_THE_FIRST_TAG)


@pytest.fixture(scope="session")
def old_services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The command lines of the previous release's services, by name."""
    tree = tmp_path_factory.mktemp("previous")
    _unpack(previous_release(), tree)
    # Python looks for the services where it runs before it looks at what is installed.
    run = ["env", f"--chdir={tree}", sys.executable]
    asked = [*run, "-c", "import services; print(services.__file__)"]
    found = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    assert found.startswith(str(tree)), "the old release's own code does not run"
    return {name: [*run, "-m", f"services.{name}"] for name in SERVICES}


def _unpack(commit: str, tree: Path) -> None:
    archive = _git("archive", commit, "services", "libs")
    subprocess.run(["tar", "--extract", f"--directory={tree}"], input=archive, check=True)

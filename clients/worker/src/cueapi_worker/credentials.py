"""The credentials file that CLI and worker share (clients.md §2)."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cueapi_worker.errors import WorkerError

PROFILE: Final = "default"
_KEY_LINE: Final = re.compile(r"^(api_key\s*:\s*)(\"[^\"]*\"|'[^']*'|[^\s#]+)", re.MULTILINE)


def config_home(environ: Mapping[str, str]) -> Path:
    """Where users' configuration lies."""
    if sys.platform == "win32":
        return Path(environ.get("APPDATA") or Path.home())
    return Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def state_home(environ: Mapping[str, str]) -> Path:
    """Where programs keep what has to outlive them."""
    return Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")


def credentials_path(environ: Mapping[str, str]) -> Path:
    """Where the credentials are."""
    return config_home(environ) / "cueapi" / "credentials.json"


def read_profile(path: Path, profile: str = PROFILE) -> dict[str, str]:
    """Read a profile: `api_key`, `email`, `api_base`; empty if there is none.

    Raises WorkerError.
    """
    found = _read(path).get(profile, {})
    if not isinstance(found, dict):
        raise WorkerError(f"profile {profile} in {path} is no JSON object", "log in again")
    return {str(name): str(value) for name, value in found.items() if value is not None}


def save_profile(path: Path, changes: Mapping[str, str], profile: str = PROFILE) -> None:
    """Change a profile, readable by its owner alone; other profiles stay. Raises WorkerError."""
    profiles = _read(path)
    profiles[profile] = {**profiles.get(profile, {}), **changes}
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(path, json.dumps(profiles, indent=2) + "\n")


def write_private(path: Path, content: str) -> None:
    """Replace a file as a whole, readable by its owner alone."""
    begun = path.with_name(path.name + ".tmp")
    with open(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content)
    os.replace(begun, path)


def with_key(config: str, api_key: str) -> str | None:
    """Put a key into the text of a configuration file; None if it names none.

    Everything else stays, comments included.
    """
    changed, count = _KEY_LINE.subn(rf"\g<1>{api_key}", config, count=1)
    return changed if count else None


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise WorkerError(f"{path} cannot be read: {error}", "move it away and log in") from error
    if not isinstance(document, dict):
        raise WorkerError(f"{path} is no JSON object", "move it away and log in")
    return document

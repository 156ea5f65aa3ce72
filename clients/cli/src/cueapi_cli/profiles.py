"""Saved logins: one file for the CLI and the worker, readable by its owner alone."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cueapi_cli.failures import Failure


def credentials_file(environment: Mapping[str, str]) -> Path:
    """Where logins are saved: XDG's folder, on Windows APPDATA."""
    if sys.platform == "win32" and "APPDATA" in environment:
        return Path(environment["APPDATA"]) / "cueapi" / "credentials.json"
    config = environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME", "~")) / ".config"
    return Path(config).expanduser() / "cueapi" / "credentials.json"


class Profiles:
    """The profiles in a credentials file: `{"<name>": {"api_key", "email", "api_base"}}`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str) -> dict[str, Any]:
        """Give a profile; empty when it is not there. Raises Failure for a file that is broken."""
        profile = self.all().get(name, {})
        return profile if isinstance(profile, dict) else {}

    def all(self) -> dict[str, Any]:
        """Give every profile. Raises Failure."""
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise Failure(
                f"{self.path} cannot be read: {error}", "Move it away and run `cueapi login`."
            ) from error
        return document if isinstance(document, dict) else {}

    def save(self, name: str, profile: Mapping[str, Any]) -> None:
        """Keep a profile."""
        self._write({**self.all(), name: dict(profile)})

    def forget(self, name: str | None) -> bool:
        """Drop a profile, or with None all of them; false when there was nothing to drop."""
        before = self.all()
        after = {} if name is None else {key: v for key, v in before.items() if key != name}
        if after != before:
            self._write(after)
        return after != before

    def _write(self, profiles: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made unreadable for others before anything is in it, and put in place whole.
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=".credentials-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(profiles, file, indent=2)
            file.write("\n")
        Path(name).replace(self.path)

"""Which key and which server a worker uses, and where a new key is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cueapi_worker.config import HOSTED, Config
from cueapi_worker.credentials import (
    credentials_path,
    read_profile,
    save_profile,
    with_key,
    write_private,
)
from cueapi_worker.errors import WorkerError


@dataclass(frozen=True)
class Access:
    """A key, where it was found, and the server's origin. `api_key` None: there is none."""

    api_key: str | None
    source: str
    origin: str

    def key(self) -> str:
        """Give the key. Raises WorkerError if there is none."""
        if self.api_key is None:
            hint = "run `cueapi-worker login --email you@example.com -c FILE`"
            raise WorkerError("there is no API key", f"{hint}, or set CUEAPI_API_KEY")
        return self.api_key


def access_of(config: Config, environ: Mapping[str, str]) -> Access:
    """Find key and origin: in the configuration, the environment, the credentials file."""
    path = credentials_path(environ)
    profile = read_profile(path)
    key, source = next(
        (
            (value.strip(), where)
            for value, where in (
                (config.api_key, "the configuration file"),
                (environ.get("CUEAPI_API_KEY"), "CUEAPI_API_KEY"),
                (profile.get("api_key"), str(path)),
            )
            if value and value.strip()
        ),
        (None, "nowhere"),
    )
    base = (
        config.api_base
        or environ.get("CUEAPI_BASE_URL")
        or environ.get("CUEAPI_API_BASE")
        or profile.get("api_base")
        or HOSTED
    )
    return Access(key, source, base.rstrip("/").removesuffix("/v1"))


def keep_key(path: Path, key: str, email: str | None, environ: Mapping[str, str]) -> Path:
    """Keep a new key where the worker finds it: in its configuration if that names one.

    Else in the credentials file that the CLI uses too. Gives the file that was written.
    """
    if path.exists():
        changed = with_key(path.read_text(encoding="utf-8"), key)
        if changed is not None:
            write_private(path, changed)
            return path
    credentials = credentials_path(environ)
    save_profile(credentials, {"api_key": key, **({"email": email} if email else {})})
    return credentials

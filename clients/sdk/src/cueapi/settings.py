"""What a client is set up with: key, origin, patience."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypedDict
from urllib.parse import urlsplit

import httpx

from cueapi.retries import RetryPolicy
from cueapi.version import __version__

HOSTED: Final = "https://api.cueapi.ai"
DEFAULT_TIMEOUT: Final = 30.0
DEFAULT_RETRIES: Final = 2
DEFAULT_CONNECTIONS: Final = 100
KEY_VARIABLE: Final = "CUEAPI_API_KEY"
BASE_VARIABLE: Final = "CUEAPI_BASE_URL"


class Options(TypedDict, total=False):
    """What `with_options` changes; `headers` are added."""

    api_key: str | None
    base_url: str
    timeout: float
    max_retries: int
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Settings:
    """A client's settings; `origin` has no `/v1`, `api_key` None calls without a token."""

    api_key: str | None = field(repr=False)
    origin: str
    timeout: float = DEFAULT_TIMEOUT
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    headers: Mapping[str, str] = field(default_factory=dict)

    def url(self, path: str) -> str:
        """Give the URL of a path from the origin."""
        return f"{self.origin}/{path.lstrip('/')}"

    def changed(self, options: Options) -> Settings:
        """Give these settings with the options. Raises TypeError for any that are none."""
        unknown = options.keys() - Options.__optional_keys__
        if unknown:
            raise TypeError(f"a client has no option {', '.join(sorted(unknown))}")
        retries = options.get("max_retries", self.retry.retries)
        return Settings(
            api_key=options.get("api_key", self.api_key),
            origin=origin_of(options.get("base_url", self.origin)),
            timeout=options.get("timeout", self.timeout),
            retry=replace(self.retry, retries=retries),
            headers={**self.headers, **options.get("headers", {})},
        )

    def request_headers(self) -> dict[str, str]:
        """Give the headers of every request."""
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT, **self.headers}
        if self.api_key is not None:
            headers["Authorization"] = f"Bearer {self.api_key}"
        return headers


USER_AGENT: Final = f"cueapi-python/{__version__} (Python {platform.python_version()})"


def settings_of(
    key: str | None,
    base_url: str | None,
    timeout: float,
    max_retries: int,
    headers: Mapping[str, str] | None,
) -> Settings:
    """Make settings of a client's arguments. Raises ValueError for what is no base URL."""
    retry = RetryPolicy(retries=max_retries)
    return Settings(key, origin_of(base_url), timeout, retry, dict(headers or {}))


def limits(connections: int) -> httpx.Limits:
    """Bound the connections, and keep all of them: opening one costs more than a call."""
    return httpx.Limits(max_connections=connections, max_keepalive_connections=connections)


def key_or_environment(api_key: str | None) -> str:
    """Take the key as given, else from CUEAPI_API_KEY. Raises ValueError without either."""
    key = os.environ.get(KEY_VARIABLE, "") if api_key is None else api_key
    if not key.strip():
        raise ValueError(f"an API key is needed: give api_key, or set {KEY_VARIABLE}")
    return key.strip()


def origin_of(base_url: str | None) -> str:
    """Take the base as given, else from CUEAPI_BASE_URL, else the hosted one; without `/v1`.

    Raises ValueError for what is no http or https URL.
    """
    base = base_url or os.environ.get(BASE_VARIABLE) or HOSTED
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{base!r} is no base URL: it looks like {HOSTED}")
    return base.rstrip("/").removesuffix("/v1").rstrip("/")

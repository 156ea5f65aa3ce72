"""One run of the command line: whose key, which server, how answers are shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from cueapi_cli.failures import USAGE, Failure, NotSignedIn, WouldSend
from cueapi_cli.output import Output
from cueapi_cli.profiles import Profiles, credentials_file

if TYPE_CHECKING:
    import httpx
    import typer
    from cueapi import CueAPI

HOSTED = "https://api.cueapi.ai"
_READING = frozenset({"/v1/schedules/preview"})


@dataclass(frozen=True)
class Wishes:
    """What the options on the line say about whom to call."""

    api_key: str | None = None
    profile: str | None = None
    base_url: str | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class Found:
    """A setting, and where it was found."""

    value: str
    source: str


class Session:
    """What commands work with. `transport`, `environment` and `browser` are replaced in tests."""

    def __init__(
        self,
        *,
        wishes: Wishes = Wishes(),
        output: Output | None = None,
        environment: Mapping[str, str] = os.environ,
        transport: httpx.BaseTransport | None = None,
        browser: Callable[[str], bool] | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.wishes = wishes
        self.output = output or Output.detected()
        self.environment = environment
        self.profiles = Profiles(credentials_file(environment))
        self._transport = transport
        self._browser = browser
        self._sleep = sleep
        self._opened: list[httpx.Client] = []

    def asked(self, wishes: Wishes, output: Output) -> Session:
        """This session, as the options on the line want it."""
        return Session(
            wishes=wishes,
            output=output,
            environment=self.environment,
            transport=self._transport,
            browser=self._browser,
            sleep=self._sleep,
        )

    def without_dry_run(self) -> Session:
        """This session, for a request that changes nothing although it is a POST."""
        return self.asked(replace(self.wishes, dry_run=False), self.output)

    @property
    def profile_name(self) -> str:
        """The profile in use."""
        return self.wishes.profile or self.environment.get("CUEAPI_PROFILE") or "default"

    @cached_property
    def profile(self) -> dict[str, Any]:
        """The saved login in use. Raises Failure."""
        return self.profiles.read(self.profile_name)

    @property
    def key(self) -> Found | None:
        """The key to call with, and where it is from."""
        return self._first(
            (self.wishes.api_key, "--api-key"),
            (self.environment.get("CUEAPI_API_KEY"), "CUEAPI_API_KEY"),
            (self.profile.get("api_key"), f"profile {self.profile_name}"),
        )

    @property
    def base(self) -> Found:
        """The server's origin, and where it is from."""
        found = self._first(
            (self.wishes.base_url, "--base-url"),
            (self.environment.get("CUEAPI_API_BASE"), "CUEAPI_API_BASE"),
            (self.environment.get("CUEAPI_BASE_URL"), "CUEAPI_BASE_URL"),
            (self.profile.get("api_base"), f"profile {self.profile_name}"),
        ) or Found(HOSTED, "the hosted service")
        return replace(found, value=found.value.rstrip("/").removesuffix("/v1").rstrip("/"))

    @cached_property
    def client(self) -> CueAPI:
        """The SDK's client with the account's key. Raises Failure."""
        key = self.key
        if key is None:
            raise NotSignedIn
        return self._client(key.value)

    @cached_property
    def stranger(self) -> CueAPI:
        """The SDK's client without a key. Raises Failure."""
        return self._client(None)

    def client_of(self, api_key: str) -> CueAPI:
        """The SDK's client with another key."""
        return self._client(api_key)

    def http(self, timeout: float = 30.0) -> httpx.Client:
        """A plain HTTP client, for addresses that are not the API's."""
        import httpx

        client = httpx.Client(timeout=timeout, transport=self._transport)
        self._opened.append(client)
        return client

    def wait(self, seconds: float) -> None:
        """Wait."""
        if self._sleep is not None:
            self._sleep(seconds)
            return
        import time

        time.sleep(seconds)

    def open_page(self, url: str) -> bool:
        """Open a page in the browser; false where there is none."""
        if self._browser is not None:
            return self._browser(url)
        import webbrowser

        return webbrowser.open(url)

    def close(self) -> None:
        """Close the connections."""
        for client in self._opened:
            client.close()

    def _client(self, key: str | None) -> CueAPI:
        import httpx
        from cueapi import CueAPI

        make = CueAPI.without_key if key is None else partial(CueAPI, key)
        hooks = {"request": [_stop_change]} if self.wishes.dry_run else {}
        http = httpx.Client(timeout=30.0, transport=self._transport, event_hooks=hooks)
        self._opened.append(http)
        try:
            return make(base_url=self.base.value, http_client=http, sleep=self.wait)
        except ValueError as error:
            raise Failure(str(error), code=USAGE) from error

    @staticmethod
    def _first(*candidates: tuple[str | None, str]) -> Found | None:
        for value, source in candidates:
            if value:
                return Found(value, source)
        return None


def session_of(ctx: typer.Context) -> Session:
    """The session of a running command."""
    session: Session = ctx.obj
    return session


def _stop_change(request: httpx.Request) -> None:
    if request.method not in ("GET", "HEAD") and request.url.path not in _READING:
        raise WouldSend(request.method, request.url.raw_path.decode(), request.content)

"""The async client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from cueapi.calls import Call, anything, query
from cueapi.exchange import Send, exchange
from cueapi.resources.account import AsyncAccountResource
from cueapi.resources.alerts import AsyncAlertsResource
from cueapi.resources.cues import AsyncCuesResource
from cueapi.resources.events import AsyncEventsResource
from cueapi.resources.executions import AsyncExecutionsResource
from cueapi.resources.keys import (
    AsyncAlertSecretResource,
    AsyncKeysResource,
    AsyncWebhookSecretResource,
)
from cueapi.resources.plans import AsyncBillingResource, AsyncUsageResource
from cueapi.resources.service import (
    AsyncEchoResource,
    AsyncHealthResource,
    AsyncSchedulesResource,
    AsyncSupportResource,
)
from cueapi.resources.sign_in import AsyncDeviceCodesResource, AsyncSessionsResource
from cueapi.resources.workers import AsyncWorkersResource
from cueapi.settings import (
    DEFAULT_CONNECTIONS,
    DEFAULT_RETRIES,
    DEFAULT_TIMEOUT,
    Options,
    Settings,
    key_or_environment,
    limits,
    settings_of,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")


class AsyncCueAPI:
    """The API, called and awaited; for the arguments see `CueAPI`."""

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        max_retries: int = DEFAULT_RETRIES,
        headers: Mapping[str, str] | None = None,
        connections: int = DEFAULT_CONNECTIONS,
        http_client: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        key = key_or_environment(api_key)
        self._set_up(
            settings_of(key, base_url, timeout, max_retries, headers),
            http_client or httpx.AsyncClient(timeout=timeout, limits=limits(connections)),
            owns=http_client is None,
            sleep=sleep,
        )

    @classmethod
    def without_key(
        cls,
        *,
        base_url: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        max_retries: int = DEFAULT_RETRIES,
        http_client: httpx.AsyncClient | None = None,
    ) -> AsyncCueAPI:
        """Make a client for the calls that need no key: register, sign in, health."""
        client = cls(
            "none",
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            http_client=http_client,
        )
        client.settings = client.settings.changed({"api_key": None})
        return client

    def with_options(self, **changes: Unpack[Options]) -> AsyncCueAPI:
        """Make a client with other `timeout`, `max_retries`, `api_key`, `headers` or `base_url`.

        It shares this one's connections, and closes with it. Raises TypeError for other names.
        """
        client = object.__new__(type(self))
        client._set_up(self.settings.changed(changes), self.http, owns=False, sleep=self.sleep)
        return client

    async def run(self, call: Call[T]) -> T:
        """Carry out a call. Raises CueAPIError."""
        steps = exchange(call, self.settings, self.http.build_request)
        try:
            step = next(steps)
            while True:
                if isinstance(step, Send):
                    try:
                        response = await self.http.send(step.request)
                    except httpx.TransportError as error:
                        step = steps.throw(error)
                    else:
                        step = steps.send(response)
                else:
                    await self.sleep(step.seconds)
                    step = steps.send(None)
        except StopIteration as done:
            result: T = done.value
            return result

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Call any path of the API, and give the answer's JSON. Raises CueAPIError."""
        wanted, own = query(**(params or {})), headers or {}
        return await self.run(
            Call(method, path, anything, query=wanted, json=json, headers=own, timeout=timeout)
        )

    async def close(self) -> None:
        """Close the connections, unless they are those of a client that was given."""
        if self._owns_http:
            await self.http.aclose()

    async def __aenter__(self) -> AsyncCueAPI:
        """Keep the connections open."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.close()

    def _set_up(
        self,
        settings: Settings,
        http: httpx.AsyncClient,
        *,
        owns: bool,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.settings = settings
        self.http = http
        self._owns_http = owns
        self.sleep = sleep
        self.account = AsyncAccountResource(self)
        self.alert_webhook_secret = AsyncAlertSecretResource(self)
        self.alerts = AsyncAlertsResource(self)
        self.billing = AsyncBillingResource(self)
        self.cues = AsyncCuesResource(self)
        self.device_codes = AsyncDeviceCodesResource(self)
        self.echo = AsyncEchoResource(self)
        self.events = AsyncEventsResource(self)
        self.executions = AsyncExecutionsResource(self)
        self.health = AsyncHealthResource(self)
        self.keys = AsyncKeysResource(self)
        self.schedules = AsyncSchedulesResource(self)
        self.sessions = AsyncSessionsResource(self)
        self.support = AsyncSupportResource(self)
        self.usage = AsyncUsageResource(self)
        self.webhook_secret = AsyncWebhookSecretResource(self)
        self.workers = AsyncWorkersResource(self)

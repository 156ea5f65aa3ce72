"""The sync client."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from cueapi.calls import Call, anything, query
from cueapi.exchange import Send, exchange
from cueapi.resources.account import AccountResource
from cueapi.resources.alerts import AlertsResource
from cueapi.resources.cues import CuesResource
from cueapi.resources.events import EventsResource
from cueapi.resources.executions import ExecutionsResource
from cueapi.resources.keys import AlertSecretResource, KeysResource, WebhookSecretResource
from cueapi.resources.plans import BillingResource, UsageResource
from cueapi.resources.service import (
    EchoResource,
    HealthResource,
    SchedulesResource,
    SupportResource,
)
from cueapi.resources.sign_in import DeviceCodesResource, SessionsResource
from cueapi.resources.workers import WorkersResource
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


class CueAPI:
    """The API, called and waited for. Safe to share between threads.

    `api_key` and `base_url` (with or without `/v1`) come from CUEAPI_API_KEY and CUEAPI_BASE_URL
    if they are not given. `timeout` is in seconds, for connecting and for each silence of the
    server. A call is sent again up to `max_retries` times after network trouble, 408, 429 and
    5xx. At most `connections` are open at once, and kept. An `http_client` of one's own is used
    as it is and stays open. Raises ValueError without a key.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        max_retries: int = DEFAULT_RETRIES,
        headers: Mapping[str, str] | None = None,
        connections: int = DEFAULT_CONNECTIONS,
        http_client: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        key = key_or_environment(api_key)
        self._set_up(
            settings_of(key, base_url, timeout, max_retries, headers),
            http_client or httpx.Client(timeout=timeout, limits=limits(connections)),
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
        http_client: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> CueAPI:
        """Make a client for the calls that need no key: register, sign in, health."""
        client = cls(
            "none",
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            http_client=http_client,
            sleep=sleep,
        )
        client.settings = client.settings.changed({"api_key": None})
        return client

    def with_options(self, **changes: Unpack[Options]) -> CueAPI:
        """Make a client with other `timeout`, `max_retries`, `api_key`, `headers` or `base_url`.

        It shares this one's connections, and closes with it. Raises TypeError for other names.
        """
        client = object.__new__(type(self))
        client._set_up(self.settings.changed(changes), self.http, owns=False, sleep=self.sleep)
        return client

    def run(self, call: Call[T]) -> T:
        """Carry out a call. Raises CueAPIError."""
        steps = exchange(call, self.settings, self.http.build_request)
        try:
            step = next(steps)
            while True:
                if isinstance(step, Send):
                    try:
                        response = self.http.send(step.request)
                    except httpx.TransportError as error:
                        step = steps.throw(error)
                    else:
                        step = steps.send(response)
                else:
                    self.sleep(step.seconds)
                    step = steps.send(None)
        except StopIteration as done:
            result: T = done.value
            return result

    def request(
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
        return self.run(
            Call(method, path, anything, query=wanted, json=json, headers=own, timeout=timeout)
        )

    def close(self) -> None:
        """Close the connections, unless they are those of a client that was given."""
        if self._owns_http:
            self.http.close()

    def __enter__(self) -> CueAPI:
        """Keep the connections open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def _set_up(
        self,
        settings: Settings,
        http: httpx.Client,
        *,
        owns: bool,
        sleep: Callable[[float], None],
    ) -> None:
        self.settings = settings
        self.http = http
        self._owns_http = owns
        self.sleep = sleep
        self.account = AccountResource(self)
        self.alert_webhook_secret = AlertSecretResource(self)
        self.alerts = AlertsResource(self)
        self.billing = BillingResource(self)
        self.cues = CuesResource(self)
        self.device_codes = DeviceCodesResource(self)
        self.echo = EchoResource(self)
        self.events = EventsResource(self)
        self.executions = ExecutionsResource(self)
        self.health = HealthResource(self)
        self.keys = KeysResource(self)
        self.schedules = SchedulesResource(self)
        self.sessions = SessionsResource(self)
        self.support = SupportResource(self)
        self.usage = UsageResource(self)
        self.webhook_secret = WebhookSecretResource(self)
        self.workers = WorkersResource(self)

"""The one HTTP client for URLs that users give."""

import asyncio
from functools import lru_cache, partial
from ssl import SSLContext
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.http import HttpProcessingError
from yarl import URL

from libs.runtime.http.addresses import EgressPolicy, is_blocked
from libs.runtime.http.connector import JudgingConnector, open_socket
from libs.runtime.http.exchange import Exchange, Response
from libs.runtime.http.failures import failure_from
from libs.runtime.http.messages import Headers, request_head
from libs.runtime.http.names import NameLookup
from libs.runtime.http.urls import CheckedURL

MAX_BODY = 256 * 1024
# Servers commonly close idle connections after 5 s; a request must not meet that moment.
KEEP_ALIVE = 4.0


class OutboundClient:
    """Sends requests to checked URLs: an async context manager, entered once.

    At most `max_connections` exist at a time, `max_per_host` (0: no own limit) to one host; a send
    that waits for a free one spends its timeout, so keep fewer in flight. Of an answer at most
    `max_body` bytes are read. `tls` replaces the default trust. `names` stays the caller's, and
    `open_socket` opens each socket that is dialed.
    """

    def __init__(
        self,
        policy: EgressPolicy,
        names: NameLookup,
        *,
        user_agent: str,
        max_connections: int,
        max_per_host: int = 0,
        max_body: int = MAX_BODY,
        tls: SSLContext | None = None,
        open_socket: aiohttp.SocketFactoryType = open_socket,
    ) -> None:
        self._user_agent = user_agent
        self._max_body = max_body
        self._new_connector = partial(
            JudgingConnector,
            names=names,
            limit=max_connections,
            limit_per_host=max_per_host,
            keep_alive=KEEP_ALIVE,
            tls=tls,
            open_socket=open_socket,
        )
        self._is_blocked = partial(is_blocked, policy=policy)
        self._destination = lru_cache(maxsize=2048)(_destination)

    async def __aenter__(self) -> Self:
        """Open the pools on the running event loop."""
        self._connector = self._new_connector(self._is_blocked)
        # A pool of its own: a connection to a trusted server is never reused for another URL.
        self._trusted_connector = self._new_connector(lambda _: False)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection, also those in use."""
        await self._connector.close()
        await self._trusted_connector.close()

    async def send(
        self, method: str, url: CheckedURL, headers: Headers, body: bytes, timeout: float
    ) -> Response:
        """Send one request, never twice, and give the answer; all within `timeout` seconds.

        `headers` passed `check_headers` or are the caller's own; the client's own replace them.
        An answer whose headers come in time counts, however its body ends (contract §6).

        Raises:
            OutboundError: no complete headers came; the subclass says at which stage.
            ValueError: a header can't be sent.
        """
        head = request_head(
            method, url, headers, user_agent=self._user_agent, body_length=len(body)
        )
        connector = self._trusted_connector if url.trusted else self._connector
        exchange = Exchange(self._max_body)
        try:
            async with asyncio.timeout(timeout):
                await exchange.run(
                    connector, self._destination(url.scheme, url.authority), head + body
                )
        except (TimeoutError, aiohttp.ClientError, HttpProcessingError) as error:
            if exchange.answer is None:
                raise failure_from(error, timeout) from error
        return exchange.response()


def _destination(scheme: str, authority: str) -> aiohttp.ClientRequest:
    # The connector asks a request where to connect to; nothing else of it is used.
    return aiohttp.ClientRequest("GET", URL(f"{scheme}://{authority}/", encoded=True))

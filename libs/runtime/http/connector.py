"""The wall: no connection is made to an address that the policy blocks.

It stands in three places. The resolver refuses a name when any of its addresses is blocked, and
hands on addresses, so nothing is looked up again between judging and dialing. The socket factory
judges the very address that is about to be dialed; an address in the URL meets no resolver, only
this. And the peer of a new connection is judged before the first byte of a request.
"""

import errno
import socket
from collections.abc import Callable
from functools import partial
from ssl import SSLContext

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.tracing import Trace
from typing_extensions import override

from libs.runtime.http.names import NameLookup

# A name with hundreds of addresses must not make this machine knock at all of them.
MAX_DIALED = 8

IsBlocked = Callable[[str], bool]


class BlockedAddress(OSError):
    """The address must not be dialed."""


def open_socket(info: aiohttp.AddrInfoType) -> socket.socket:
    """Open the socket that is then connected to the address in `info`."""
    return socket.socket(info[0], info[1], info[2])


class JudgingConnector(aiohttp.TCPConnector):
    """aiohttp's connection pool behind the wall; `limit`s are connections, `keep_alive` seconds.

    Raises aiohttp's ClientConnectorError with a BlockedAddress inside when the wall refuses.
    """

    def __init__(
        self,
        is_blocked: IsBlocked,
        names: NameLookup,
        *,
        limit: int,
        limit_per_host: int,
        keep_alive: float,
        tls: SSLContext | None,
        open_socket: aiohttp.SocketFactoryType,
    ) -> None:
        super().__init__(
            resolver=_JudgingResolver(is_blocked, names),
            use_dns_cache=False,
            socket_factory=partial(_open_judged, is_blocked, open_socket),
            limit=limit,
            limit_per_host=limit_per_host,
            keepalive_timeout=keep_alive,
            ssl=tls or True,
        )
        self._is_blocked = is_blocked

    @override
    async def _create_connection(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        protocol = await super()._create_connection(req, traces, timeout)
        transport = protocol.transport
        peer = None if transport is None else transport.get_extra_info("peername")
        if peer is not None and not self._is_blocked(peer[0]):
            return protocol
        protocol.abort()
        raise aiohttp.ClientConnectorError(
            req.connection_key,
            OSError(errno.ENOTCONN, "closed at once") if peer is None else BlockedAddress(),
        )


class _JudgingResolver(AbstractResolver):
    def __init__(self, is_blocked: IsBlocked, names: NameLookup) -> None:
        self._is_blocked = is_blocked
        self._names = names

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await self._names.addresses(host)
        if any(self._is_blocked(address) for address in addresses):
            raise BlockedAddress
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses[:MAX_DIALED]
        ]

    @override
    async def close(self) -> None:
        """Do nothing: the lookup belongs to whoever made it."""


def _open_judged(
    is_blocked: IsBlocked,
    open_socket: aiohttp.SocketFactoryType,
    info: aiohttp.AddrInfoType,
) -> socket.socket:
    if is_blocked(info[4][0]):
        raise BlockedAddress
    return open_socket(info)

"""One request and its answer over one connection of the pool.

This stands on aiohttp's connector and parser and leaves its session out: a session's redirects,
cookies, proxies, repeated requests and decompression are what a request to a stranger's URL must
not have, and its cost per request is larger than all the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, RawResponseMessage

from libs.runtime.http.connector import JudgingConnector

# The pool's own timeouts; the deadline is the caller's.
_NO_TIMEOUTS = aiohttp.ClientTimeout(total=None)
_READ_SIZE = 64 * 1024
_MAX_INTERIM = 16
_SWITCHING_PROTOCOLS = 101


@dataclass(frozen=True, slots=True)
class Response:
    """What the server answered; a redirect is an answer like any other.

    `headers` ignores case and gives the first of a repeated name. `body` is as it came, never
    decompressed. `truncated`: it was longer than the client reads. `body_complete`: all of it is
    here; False also when the deadline or the server cut it short.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    body_complete: bool


class Exchange:
    """What has come of one request so far; it stays readable when `run` is interrupted.

    `answer` is set once complete headers came. `received` grows to at most `max_body` bytes and
    one more, which says that there is more. `complete`: the whole body is in `received`.
    """

    def __init__(self, max_body: int) -> None:
        self.answer: RawResponseMessage | None = None
        self.received = bytearray()
        self.complete = False
        self._max_body = max_body

    async def run(
        self, connector: JudgingConnector, destination: aiohttp.ClientRequest, request: bytes
    ) -> None:
        """Send `request` to `destination` once and take the answer in.

        The connection goes back to the pool only after a whole answer to a wholly sent request.

        Raises:
            aiohttp.ClientError: no connection, or it broke.
            HttpProcessingError: what came is not HTTP.
        """
        connection = await connector.connect(destination, [], _NO_TIMEOUTS)
        while connection.protocol is not None and len(connection.protocol):
            # An answer that nobody asked for must not be taken for the next one's.
            connection.close()
            connection = await connector.connect(destination, [], _NO_TIMEOUTS)
        try:
            await self._converse(connection, request)
        except BaseException:
            connection.close()
            raise
        if self.complete and _is_sent(connection):
            connection.release()
        else:
            connection.close()

    def response(self) -> Response:
        """Give what has come; only after `answer` is set."""
        assert self.answer is not None
        return Response(
            status=self.answer.code,
            headers=self.answer.headers,
            body=bytes(self.received[: self._max_body]),
            truncated=len(self.received) > self._max_body,
            body_complete=self.complete,
        )

    async def _converse(self, connection: Connection, request: bytes) -> None:
        protocol, transport = connection.protocol, connection.transport
        if protocol is None or transport is None:
            raise aiohttp.ServerDisconnectedError
        protocol.set_response_params(
            read_until_eof=True, auto_decompress=False, read_bufsize=_READ_SIZE
        )
        transport.write(request)
        for _ in range(_MAX_INTERIM):
            answer, content = await protocol.read()
            if not 100 <= answer.code < 200 or answer.code == _SWITCHING_PROTOCOLS:
                self.answer = answer
                break
        else:
            raise HttpProcessingError(message="interim answers without end")
        await self._read_body(content)

    async def _read_body(self, content: aiohttp.StreamReader) -> None:
        while not content.at_eof():
            room = self._max_body + 1 - len(self.received)
            if not room:
                return
            self.received += await content.read(min(room, _READ_SIZE))
        self.complete = len(self.received) <= self._max_body


def _is_sent(connection: Connection) -> bool:
    transport = connection.transport
    return transport is not None and not transport.get_write_buffer_size()

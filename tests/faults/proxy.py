"""A TCP proxy that stands between the services and a server, and misbehaves when told to."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from deploy.local.ports import LOOPBACK

_CHUNK = 64 * 1024
_LOOK_SECONDS = 0.02

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class Proxy:
    """Forwards bytes. `latency` seconds are added to each chunk, in each direction.

    While it is `dropping`, connections stay open and nothing passes: a link that is half open. A
    chunk from a client that contains one of `hold_replies_to` is forwarded, and its connection gets
    nothing more from the server. `held`, `dropped` and `resets` say what was done.
    """

    def __init__(self, connect: Connect) -> None:
        self.port = 0
        self.latency = 0.0
        self.dropping = False
        self.hold_replies_to: tuple[bytes, ...] = ()
        self.held = self.dropped = self.resets = 0
        self._connect = connect
        self._open: set[_Link] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._take, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, and end all connections."""
        if self._server is not None:
            self._server.close()
            self.reset()
            await self._server.wait_closed()

    def reset(self) -> None:
        """End every connection with a reset."""
        for link in self._open:
            self.resets += 1
            link.abort()

    def heal(self) -> None:
        """Forward everything again. Links that lost bytes are reset: they can never go on."""
        self.latency, self.dropping, self.hold_replies_to = 0.0, False, ()
        for link in self._open:
            if link.spoiled:
                link.abort()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        link = _Link((writer, up_writer))
        self._open.add(link)
        try:
            await asyncio.gather(
                self._pump(link, reader, up_writer, from_client=True),
                self._pump(link, up_reader, writer, from_client=False),
            )
        finally:
            link.abort()
            self._open.discard(link)

    async def _pump(
        self,
        link: "_Link",
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        from_client: bool,
    ) -> None:
        with suppress(ConnectionError):
            while chunk := await reader.read(_CHUNK):
                if self.latency:
                    await asyncio.sleep(self.latency)
                if from_client and any(text in chunk for text in self.hold_replies_to):
                    link.holds = True
                if self.dropping:
                    self.dropped += 1
                    link.spoiled = True
                elif link.holds and not from_client:
                    self.held += 1
                    link.spoiled = True
                else:
                    writer.write(chunk)
                    await writer.drain()
        link.abort()


class _Link:
    """Both ends of one connection."""

    def __init__(self, writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> None:
        self.holds = self.spoiled = False
        self._writers = writers

    def abort(self) -> None:
        """End both ends at once."""
        for writer in self._writers:
            writer.transport.abort()

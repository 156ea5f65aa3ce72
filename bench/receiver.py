"""A webhook receiver in a process of its own: as cheap as Python can be, so that it is not what is
measured. It answers every POST with an outcome and remembers when the first byte came.

`python -m bench.receiver PORT [SECONDS]` answers after so many seconds.
 `GET /arrivals` gives `[[path, execution_id, unix_seconds], ...]`
since the last time.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import uvloop
from typing_extensions import override

BODY = b'{"success": true}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)
AFTER = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
ARRIVALS: list[tuple[str, str, float]] = []


class Receiver(asyncio.Protocol):
    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = b""

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := self._next()) is not None:
            head, arrived = request
            line = head.split(b"\r\n", 1)[0].split(b" ")
            if line[0] == b"GET":
                self._give_arrivals()
            else:
                execution_id = header(head, b"x-cueapi-execution-id")
                ARRIVALS.append((line[1].decode(), execution_id, arrived))
                if AFTER:
                    asyncio.get_running_loop().call_later(AFTER, self._transport.write, ANSWER)
                else:
                    self._transport.write(ANSWER)

    def _next(self) -> tuple[bytes, float] | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self._buffer[:end]
        length = int(header(head, b"content-length") or 0)
        if len(self._buffer) < end + 4 + length:
            return None
        self._buffer = self._buffer[end + 4 + length :]
        return head, time.time()

    def _give_arrivals(self) -> None:
        body = json.dumps(ARRIVALS).encode()
        ARRIVALS.clear()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)


def header(head: bytes, name: bytes) -> str:
    """Give a header of a request; `name` in lower case, "" where it is absent."""
    lowered = head.lower()
    start = lowered.find(b"\r\n" + name + b":")
    if start < 0:
        return ""
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else len(head)].strip().decode()


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(
        Receiver, "127.0.0.1", port, backlog=4096
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))

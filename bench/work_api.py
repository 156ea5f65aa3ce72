"""As much of the API as a worker needs, in a process of its own and as cheap as Python can be.

`python -m bench.work_api PORT JOBS`: gives out so many jobs of the task `bench`, then holds claims
open. `GET /done` gives the outcomes' count, and when the first and the last came.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import uvloop
from typing_extensions import override

from bench.receiver import header

WAIT_SECONDS = 5.0


class Work:
    """What is left to do, and what was done."""

    def __init__(self, jobs: int) -> None:
        self.left = jobs
        self.times: list[float] = []

    def claim(self) -> bytes | None:
        """Give out a job, None if there is none."""
        if not self.left:
            return None
        self.left -= 1
        claim = {
            "claimed": True,
            "execution_id": f"00000000-0000-4000-8000-{self.left:012d}",
            "worker_id": "bench",
            "lease_seconds": 60,
            "lease_expires_at": "2026-03-28T06:15:02Z",
            "attempt": 1,
            "payload": {"task": "bench"},
        }
        return _answer("200 OK", claim)

    def outcome(self) -> bytes:
        """Take an outcome."""
        self.times.append(time.time())
        return _answer("200 OK", {"outcome_recorded": True, "status": "success"})

    def done(self) -> bytes:
        """Tell what was done."""
        times = self.times or [0.0]
        return _answer("200 OK", {"count": len(self.times), "first": times[0], "last": times[-1]})


class WorkApi(asyncio.Protocol):
    def __init__(self, work: Work) -> None:
        self._work = work
        self._buffer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (head := self._next()) is not None:
            path = head.split(b" ", 2)[1]
            if path.endswith(b"/outcome"):
                self._transport.write(self._work.outcome())
            elif path == b"/v1/executions/claim":
                self._claim()
            elif path == b"/done":
                self._transport.write(self._work.done())
            else:
                self._transport.write(_answer("200 OK", {"acknowledged": True}))

    def _claim(self) -> None:
        claim = self._work.claim()
        if claim is not None:
            self._transport.write(claim)
        else:
            asyncio.get_running_loop().call_later(WAIT_SECONDS, self._refuse)

    def _refuse(self) -> None:
        error = {"code": "claim_failed", "message": "Nothing to claim", "status": 409}
        self._transport.write(_answer("409 Conflict", {"error": error}))

    def _next(self) -> bytes | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self._buffer[:end]
        size = end + 4 + int(header(head, b"content-length") or 0)
        if len(self._buffer) < size:
            return None
        self._buffer = self._buffer[size:]
        return head


def _answer(status: str, document: object) -> bytes:
    body = json.dumps(document)
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n{body}".encode()


async def serve(port: int, jobs: int) -> None:
    work = Work(jobs)
    server = await asyncio.get_running_loop().create_server(
        lambda: WorkApi(work), "127.0.0.1", port
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))

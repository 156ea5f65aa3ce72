"""A server that answers from a script, on httpx's mock transport."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import httpx
from cueapi import AsyncCueAPI, CueAPI

Scripted = httpx.Response | type[httpx.TransportError]


def refusal(status: int, code: str, **headers: str) -> httpx.Response:
    error = {"code": code, "message": f"{code}!", "status": status, "request_id": "req-1"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"error": error}, headers=named)


class FakeServer:
    """Gives the scripted answers in order; the last one again and again."""

    def __init__(self, *script: Scripted) -> None:
        self.script = [*script]
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if not isinstance(answer, httpx.Response):
            raise answer("no luck", request=request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def client(self, **options: Any) -> CueAPI:
        http = httpx.Client(transport=httpx.MockTransport(self.handle))
        options = {"base_url": "http://api", **options}
        return CueAPI("key", http_client=http, sleep=self.slept.append, **options)

    def async_client(self, **options: Any) -> AsyncCueAPI:
        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        http = httpx.AsyncClient(transport=httpx.MockTransport(self.handle))
        return AsyncCueAPI("key", base_url="http://api", http_client=http, sleep=sleep, **options)

    def keys(self) -> set[str]:
        return {request.headers["Idempotency-Key"] for request in self.requests}


def pages(plural: str, total: int) -> Iterator[httpx.Response]:
    """Pages of two items each, and one more that nobody should ask for."""
    for offset in range(0, total, 2):
        items = [{"id": str(number)} for number in range(offset, min(offset + 2, total))]
        about = {"total": total, "limit": 2, "offset": offset}
        yield httpx.Response(200, json={plural: items, **about})


def ids(items: Iterable[Any]) -> list[str]:
    return [item.id for item in items]

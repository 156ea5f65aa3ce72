"""A CueAPI that answers as it is told, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from cueapi import AsyncCueAPI


async def at_once(_: float) -> None:
    """Do not wait between tries."""


class FakeApi:
    """Answers every request with `status` and `answer`; an answer of None is no answer at all."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.status = 200
        self.answer: Any = {"id": "cue_x7k9m2p4q8w1"}
        self.down = False

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.down:
            raise httpx.ConnectError("refused", request=request)
        content = b"" if self.answer is None else json.dumps(self.answer).encode()
        return httpx.Response(self.status, content=content)

    @property
    def keys(self) -> list[str]:
        """The bearer tokens that came."""
        return [each.headers["Authorization"].removeprefix("Bearer ") for each in self.requests]

    @asynccontextmanager
    async def client(self, key: str = "cue_sk_env") -> AsyncIterator[AsyncCueAPI]:
        """An SDK client whose requests come here."""
        async with httpx.AsyncClient(transport=httpx.MockTransport(self.handle)) as http:
            yield AsyncCueAPI(key, http_client=http, sleep=at_once)

"""What stands before several replicas of the api: it sends to those that take work, in turn."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

import httpx
from typing_extensions import override

from deploy.local.service import Service
from tests.e2e.transport import AiohttpTransport
from tests.e2e.world import ANSWER_SECONDS, CONNECTIONS


class Balancer(AiohttpTransport):
    """Keeps its connections, and tries nothing twice: what a replica drops, the user loses.

    A replica that was told to end gets no further requests, as from Kubernetes' endpoints; those
    that are on their way to it at that moment stay so.
    """

    def __init__(self, replicas: Sequence[Service]) -> None:
        super().__init__(CONNECTIONS, ANSWER_SECONDS)
        self._replicas = replicas
        self._turns = count()
        self.sent: dict[str, int] = {replica.name: 0 for replica in replicas}

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        ready = [replica for replica in self._replicas if replica.up]
        if not ready:
            raise httpx.ConnectError("no replica takes work", request=request)
        replica = ready[next(self._turns) % len(ready)]
        self.sent[replica.name] += 1
        request.url = request.url.copy_with(port=httpx.URL(replica.health).port)
        return await super().handle_async_request(request)


@asynccontextmanager
async def balanced(balancer: Balancer) -> AsyncIterator[httpx.AsyncClient]:
    """A client that goes through it."""
    base_url = "http://127.0.0.1"
    async with httpx.AsyncClient(base_url=base_url, transport=balancer, trust_env=False) as client:
        yield client

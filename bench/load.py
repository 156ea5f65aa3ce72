"""The load generator's client: enough of HTTP to drive the API without being what is measured."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

Json = dict[str, Any]


class Client:
    """One account's client of the API, and of the receiver's record."""

    def __init__(self, base_url: str, receiver_url: str) -> None:
        self.base_url = base_url
        self.receiver_url = receiver_url
        self._session: aiohttp.ClientSession | None = None
        self._headers: dict[str, str] = {}

    async def __aenter__(self) -> Client:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=60)
        )
        answer = await self.call(
            "POST", "/v1/auth/register", {"email": f"bench{time.time_ns()}@example.com"}
        )
        self._headers = {"Authorization": f"Bearer {answer['api_key']}"}
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()

    async def call(self, method: str, path: str, body: Json | None = None) -> Json:
        assert self._session is not None
        async with self._session.request(
            method, self.base_url + path, json=body, headers=self._headers
        ) as answer:
            text = await answer.text()
            if answer.status >= 400 and answer.status != 409:
                raise RuntimeError(f"{method} {path} answered {answer.status}: {text}")
            return {**json.loads(text or "{}"), "_status": answer.status}

    async def delete(self, path: str) -> None:
        assert self._session is not None
        async with self._session.delete(self.base_url + path, headers=self._headers) as answer:
            answer.raise_for_status()

    async def arrivals(self) -> list[tuple[str, str, float]]:
        assert self._session is not None
        async with self._session.get(f"{self.receiver_url}/arrivals") as answer:
            return [tuple(each) for each in await answer.json()]

    async def create_once(self, name: str, at: datetime, path: str = "/hook") -> str:
        body = {
            "name": name,
            "schedule": {"type": "once", "at": at.isoformat()},
            "callback": {"url": self.receiver_url + path},
            "payload": {"task": "bench"},
        }
        return str((await self.call("POST", "/v1/cues", body))["id"])

    async def create_recurring(self, name: str, at: datetime) -> str:
        """A cue that is due each day at this minute (UTC)."""
        body = {
            "name": name,
            "schedule": {"type": "recurring", "cron": f"{at.minute} {at.hour} * * *"},
            "callback": {"url": self.receiver_url + "/hook"},
            "payload": {"task": "bench"},
        }
        return str((await self.call("POST", "/v1/cues", body))["id"])


async def concurrently(
    connections: int, jobs: Sequence[Callable[[], Awaitable[Any]]]
) -> tuple[float, list[float]]:
    """Run jobs over so many connections; give the seconds in all, and each job's seconds."""
    waiting = list(reversed(jobs))
    latencies: list[float] = []

    async def work() -> None:
        while waiting:
            job = waiting.pop()
            began = time.perf_counter()
            await job()
            latencies.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return time.perf_counter() - began, latencies


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p99 and max, in the unit given."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return {
        "p50": ordered[last // 2],
        "p99": ordered[min(last, round(last * 0.99))],
        "max": ordered[-1],
    }


def in_seconds(seconds: float) -> datetime:
    """An instant so many seconds from now."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def next_minute(after_seconds: float) -> datetime:
    """The first whole minute at least so many seconds from now."""
    return (in_seconds(after_seconds + 60)).replace(second=0, microsecond=0)

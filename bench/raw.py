"""The raw limits of this machine, which the figures are compared with."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time

import aiohttp

from libs.events.accounts import CATEGORY, AccountRegistered
from libs.events.envelope import Meta
from libs.events.log import PostgresLog
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database

POSTS = 20_000
IN_FLIGHT = 128
APPENDS = 20_000
BATCH = 100


async def posts_per_second(url: str) -> float:
    """POST signed bodies with aiohttp, as fast as one process can."""
    body = json.dumps({"attempt": 1, "payload": {"task": "bench"}}, sort_keys=True).encode()
    left = POSTS
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:

        async def work() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                stamp = str(int(time.time()))
                message = stamp.encode() + b"." + body
                signature = hmac.new(b"secret", message, hashlib.sha256).hexdigest()
                headers = {"X-CueAPI-Signature": f"v1={signature}", "X-CueAPI-Timestamp": stamp}
                async with session.post(url, data=body, headers=headers) as answer:
                    await answer.read()

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
        return POSTS / (time.perf_counter() - began)


async def appends_per_second(database_url: str) -> float:
    """Append events to new streams in batches of 100, one connection, rows and all."""
    database = Database(database_url, max_connections=2, name="bench")
    await database.open()
    log = PostgresLog(database)
    meta = Meta(correlation_id="bench", actor="bench")
    began = time.perf_counter()
    for _ in range(APPENDS // BATCH):
        async with log.transaction() as unit:
            for _ in range(BATCH):
                key = new_uuid()
                event = AccountRegistered(at=unit.now, account_id=key, plan="free")
                unit.record(CATEGORY, key, key, [event], meta)
    seconds = time.perf_counter() - began
    await database.close()
    return APPENDS / seconds

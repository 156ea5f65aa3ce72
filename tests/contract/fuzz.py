"""`python -m tests.contract.fuzz --seconds N --seed N`: hold every endpoint against its document.

Each round sends other requests; a failure names the round's seed, which sends them again.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from libs.events.log import PostgresLog
from libs.events.migrate import migrate
from tests.contract.fuzzing import fuzz, operations_of
from tests.contract.target import opened, running_target
from tests.servers import fresh_database, running_postgres

EXAMPLES = 50


async def fuzz_for(seconds: float, seed: int) -> int:
    """Fuzz until the time is over; give the number of promises that were broken."""
    ends, broken, rounds = time.monotonic() + seconds, 0, 0
    async with (
        running_postgres() as server,
        fresh_database(server) as url,
        _migrated(url) as log,
        running_target(log) as target,
    ):
        while time.monotonic() < ends:
            for name, operation in operations_of(await target.document()).items():
                if time.monotonic() > ends:
                    break
                account = await target.account()
                try:
                    await asyncio.to_thread(
                        fuzz, operation, target.url, account, examples=EXAMPLES, seed=seed + rounds
                    )
                except Exception as error:
                    broken += 1
                    print(f"{name}, seed {seed + rounds}:\n{_reasons(error)}\n")
            rounds += 1
            print(f"round {rounds}: {broken} broken so far", flush=True)
    return broken


def _reasons(error: BaseException) -> str:
    inner = "\n".join(_reasons(each) for each in getattr(error, "exceptions", ()))
    return f"{error}\n{inner}"


@asynccontextmanager
async def _migrated(url: str) -> AsyncIterator[PostgresLog]:
    await asyncio.to_thread(migrate, url)
    async with opened(url) as log:
        yield log


def main() -> int:
    """Read the arguments and fuzz; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    return 1 if asyncio.run(fuzz_for(arguments.seconds, arguments.seed)) else 0


if __name__ == "__main__":
    raise SystemExit(main())

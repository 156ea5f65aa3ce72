"""Users at work while something breaks, and the proof that all they began was done."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Self

from tests.e2e.client import Api
from tests.e2e.waiting import LIMIT_SECONDS, eventually
from tests.e2e.world import World
from tests.faults.users import Users

_LEFT = """
select (select count(*) from cues where id = any(%s) and status <> 'completed')
     + (select count(*) from executions e join cues c on c.id = e.cue_id
         where e.account_id = i.account_id and c.status <> 'deleted'
           and e.status not in ('success', 'outcome_timeout')) as count
  from identities i where i.email = %s
"""


class Load:
    """The work of one account, from the beginning of the `async with` to its end.

    At the end it waits until all that was begun is done: every execution delivered, every claim
    reported, and every silence told.
    """

    def __init__(self, world: World, api: Api) -> None:
        self.users = Users(api)
        self._world = world
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        users = self.users
        await users.declare()
        habits: list[tuple[Callable[[], Awaitable[None]], float]] = [
            (users.fire_webhook, 0.05),
            (users.fire_webhook, 0.05),
            (users.fire_silent, 0.4),
            (users.fire_worker, 0.3),
            (users.schedule, 0.3),
            (users.think_again, 0.1),
            (partial(users.work, "w1"), 0.1),
            (partial(users.work, "w2"), 0.1),
        ]
        self._tasks = [
            asyncio.create_task(self._again_and_again(act, pause)) for act, pause in habits
        ]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._over.set()
        if kind is not None:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            return
        await asyncio.gather(*self._tasks)
        await self._finish()

    async def progress(self, deliveries: int = 20) -> None:
        """Wait until so many more deliveries have arrived."""
        arrivals = self.users.hook.arrivals
        before = len(arrivals)

        async def enough() -> bool | None:
            return len(arrivals) >= before + deliveries or None

        await eventually(enough, f"{deliveries} more deliveries")

    def doubled(self) -> list[str]:
        """Name the executions that were taken more than once."""
        arrivals = self.users.hook.arrivals
        taken = Counter(arrival.execution_id for arrival in arrivals if arrival.answered == 200)
        return [execution_id for execution_id, times in taken.items() if times > 1]

    def unreached(self) -> set[str]:
        """Name the executions that were fired, and that neither a hook nor a worker has got."""
        users = self.users
        arrivals = [*users.hook.arrivals, *users.silent.arrivals]
        return set(users.fired) - {each.execution_id for each in arrivals} - set(users.reported)

    async def _finish(self) -> None:
        """Do what the workers have left, and wait until every execution has come to its end."""
        users = self.users

        async def is_done() -> bool | None:
            await users.work()
            left = await self._world.rows(_LEFT, users.scheduled, users.api.email)
            return left[0]["count"] == 0 or None

        await eventually(is_done, "every execution has come to its end", 2 * LIMIT_SECONDS)
        assert self.unreached() == set()

    async def _again_and_again(self, act: Callable[[], Awaitable[None]], pause: float) -> None:
        while not self._over.is_set():
            await act()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._over.wait()

"""Users at work while something breaks: they fire, schedule, claim and report, and insist."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Self

from tests.e2e.client import Api, soon
from tests.e2e.receiver import Answer
from tests.e2e.waiting import LIMIT_SECONDS, eventually
from tests.e2e.world import World

WORK_SECONDS = 0.05
RETRY = {"max_attempts": 10, "backoff_minutes": [0]}
DELIVERY = {"timeout_seconds": 2}

_LEFT = """
select (select count(*) from cues c where c.id = any(%s) and c.status <> 'completed')
     + (select count(*) from executions e
         where e.account_id = i.account_id and e.status <> 'success') as count
  from identities i where i.email = %s
"""


class Load:
    """The work of one account, from the beginning of the `async with` to its end.

    A request that is not answered, or with 503, is sent again until it is. At the end all that
    was begun must be done: every execution delivered, every claim reported.
    """

    def __init__(self, world: World, api: Api) -> None:
        self.hook = api.hook()
        self.hook.answer = Answer(body={"success": True}, delay=WORK_SECONDS)
        self._world = world
        self._api = api
        self._over = asyncio.Event()
        self._users: list[asyncio.Task[None]] = []
        self.fired: list[str] = []
        self.scheduled: list[str] = []
        self.reported: list[str] = []

    async def __aenter__(self) -> Self:
        webhook = await self._api.webhook_cue(self.hook, retry=RETRY, delivery=DELIVERY)
        worker = await self._api.worker_cue(retry=RETRY)
        users = [
            self._again_and_again(lambda: self._fire(webhook["id"]), 0.05),
            self._again_and_again(lambda: self._fire(webhook["id"]), 0.05),
            self._again_and_again(lambda: self._fire(worker["id"]), 0.3),
            self._again_and_again(self._schedule, 0.3),
            self._again_and_again(lambda: self._work("w1"), 0.1),
            self._again_and_again(lambda: self._work("w2"), 0.1),
        ]
        self._users = [asyncio.create_task(user) for user in users]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._over.set()
        if kind is not None:
            for user in self._users:
                user.cancel()
            await asyncio.gather(*self._users, return_exceptions=True)
            return
        await asyncio.gather(*self._users)
        await self._finish()

    async def progress(self, deliveries: int = 20) -> None:
        """Wait until so many more deliveries have arrived."""
        before = len(self.hook.arrivals)

        async def enough() -> bool | None:
            return len(self.hook.arrivals) >= before + deliveries or None

        await eventually(enough, f"{deliveries} more deliveries")

    def doubled(self) -> list[str]:
        """Name the executions that were taken more than once."""
        taken = Counter(each.execution_id for each in self.hook.arrivals if each.answered == 200)
        return [execution_id for execution_id, times in taken.items() if times > 1]

    async def _finish(self) -> None:
        """Do what the workers have left, and wait until every execution has succeeded."""

        async def is_done() -> bool | None:
            await self._work("last")
            left = await self._world.rows(_LEFT, self.scheduled, self._api.email)
            return left[0]["count"] == 0 or None

        await eventually(is_done, "every execution has succeeded", 2 * LIMIT_SECONDS)
        delivered = {arrival.execution_id for arrival in self.hook.arrivals}
        assert delivered | set(self.reported) >= set(self.fired)

    async def _again_and_again(self, act: Callable[[], Awaitable[None]], pause: float) -> None:
        while not self._over.is_set():
            await act()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._over.wait()

    async def _fire(self, cue_id: str) -> None:
        self.fired.append(await self._api.fire(cue_id))

    async def _schedule(self) -> None:
        """Declare a cue for a moment ahead; refused if the moment passes before it gets there."""
        fields = {"schedule": soon(1.5), "retry": RETRY, "delivery": DELIVERY}
        body = self._api.cue_body(self.hook, **fields)
        made = await self._api.insist("POST", "/v1/cues", body)
        if made.accepted:
            self.scheduled.append(made.body["id"])
        else:
            assert made.body["error"]["code"] == "invalid_schedule", made.body

    async def _work(self, worker_id: str) -> None:
        claim = await self._api.post("/v1/executions/claim", {"worker_id": worker_id})
        if not claim.accepted:
            return
        execution_id = claim.body["execution_id"]
        report = {"success": True, "worker_id": worker_id}
        answer = await self._api.insist("POST", f"/v1/executions/{execution_id}/outcome", report)
        # Refused when the lease was lost meanwhile, or when an unanswered try was recorded.
        assert answer.status in (200, 403, 409), answer.body
        self.reported.append(execution_id)

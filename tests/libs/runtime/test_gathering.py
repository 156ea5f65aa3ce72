from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from libs.runtime.gathering import Gathered, Shared


class Source:
    """Doubles numbers, odd ones do not exist; holds each query until it is let go."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[list[int]] = []
        self.go = asyncio.Semaphore(0)
        self._error = error

    async def fetch(self, keys: Sequence[int]) -> Mapping[int, int]:
        self.asked.append(list(keys))
        await self.go.acquire()
        if self._error is not None:
            raise self._error
        return {key: 2 * key for key in keys if key % 2 == 0}


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_asker_is_answered_at_once_and_alone() -> None:
    source = Source()
    source.go.release()
    assert await Gathered(source.fetch).get(4) == 8
    assert source.asked == [[4]]


async def test_what_does_not_exist_is_none() -> None:
    source = Source()
    source.go.release()
    assert await Gathered(source.fetch).get(3) is None


async def test_who_asks_while_a_query_runs_is_answered_by_the_next_one() -> None:
    source = Source()
    gathered = Gathered(source.fetch)
    asking = [asyncio.create_task(gathered.get(2))]
    await settled()
    asking += [asyncio.create_task(gathered.get(key)) for key in (4, 6, 4)]
    await settled()
    assert source.asked == [[2]]
    for _ in range(2):
        source.go.release()
    assert await asyncio.gather(*asking) == [4, 8, 12, 8]
    assert source.asked == [[2], [4, 6]]


async def test_who_asks_again_later_gets_what_is_true_then() -> None:
    source = Source()
    gathered = Gathered(source.fetch)
    for _ in range(2):
        source.go.release()
        assert await gathered.get(2) == 4
    assert source.asked == [[2], [2]]


async def test_a_query_has_a_bound() -> None:
    source = Source()
    gathered = Gathered(source.fetch, most=3)
    asking = [asyncio.create_task(gathered.get(key)) for key in range(0, 14, 2)]
    for _ in range(3):
        source.go.release()
    await asyncio.gather(*asking)
    assert [len(keys) for keys in source.asked] == [3, 3, 1]


async def test_an_error_reaches_all_who_waited_for_it_and_nobody_after() -> None:
    source = Source(error=ZeroDivisionError("boom"))
    gathered = Gathered(source.fetch)
    asking = [asyncio.create_task(gathered.get(key)) for key in (2, 4)]
    source.go.release()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(error) for error in found] == [ZeroDivisionError] * 2
    source.go.release()
    with pytest.raises(ZeroDivisionError):
        await gathered.get(6)
    assert source.asked == [[2, 4], [6]]


async def test_an_asker_that_goes_away_takes_nothing_from_the_others() -> None:
    source = Source()
    gathered = Gathered(source.fetch)
    leaving, staying = (asyncio.create_task(gathered.get(2)) for _ in range(2))
    await settled()
    leaving.cancel()
    await settled()
    source.go.release()
    assert await staying == 4


async def test_alike_asks_share_the_next_run_and_never_one_that_began_before() -> None:
    shared: Shared[int] = Shared()
    go, runs = asyncio.Semaphore(0), 0

    async def work() -> int:
        nonlocal runs
        runs += 1
        run = runs
        await go.acquire()
        return run

    first = asyncio.create_task(shared.run("key", work))
    await settled()
    later = [asyncio.create_task(shared.run("key", work)) for _ in range(5)]
    await settled()
    assert runs == 1
    go.release()
    go.release()
    assert await asyncio.gather(first, *later) == [1, 2, 2, 2, 2, 2]


async def test_other_work_does_not_wait() -> None:
    shared: Shared[str] = Shared()
    never = asyncio.Event()

    async def stuck() -> str:
        await never.wait()
        return "stuck"

    async def quick() -> str:
        return "quick"

    waiting = asyncio.create_task(shared.run("a", stuck))
    await settled()
    assert await shared.run("b", quick) == "quick"
    never.set()
    assert await waiting == "stuck"


async def test_an_error_reaches_all_who_share_it_and_the_next_run_is_free_of_it() -> None:
    shared: Shared[int] = Shared()
    failing = iter([True, False])

    async def work() -> int:
        if next(failing):
            raise ValueError("no")
        return 7

    failed = await asyncio.gather(
        shared.run("key", work), shared.run("key", work), return_exceptions=True
    )
    assert [str(error) for error in failed] == ["no", "no"]
    assert await shared.run("key", work) == 7

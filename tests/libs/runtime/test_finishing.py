"""A step that has begun comes to its end, whoever is cancelled meanwhile."""

import asyncio

import pytest

from libs.runtime.finishing import to_its_end


class Step:
    """A step that waits to be let on, and remembers that it came to its end."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun = asyncio.Event()
        self.let_on = asyncio.Event()
        self.ended = False
        self._error = error

    async def run(self) -> str:
        self.begun.set()
        await self.let_on.wait()
        self.ended = True
        if self._error is not None:
            raise self._error
        return "done"


async def test_the_result_is_given() -> None:
    step = Step()
    step.let_on.set()
    assert await to_its_end(step.run()) == "done"


async def test_an_error_is_raised() -> None:
    step = Step(ValueError("broken"))
    step.let_on.set()
    with pytest.raises(ValueError, match="broken"):
        await to_its_end(step.run())


@pytest.mark.parametrize("error", [None, ValueError("broken")])
async def test_a_cancelled_caller_waits_for_the_end(error: Exception | None) -> None:
    step = Step(error)
    caller = asyncio.create_task(to_its_end(step.run()))
    await step.begun.wait()
    caller.cancel()
    await asyncio.wait([caller], timeout=0.01)
    assert not caller.done()
    step.let_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert step.ended


async def test_a_caller_that_is_cancelled_twice_does_not_wait() -> None:
    step = Step()
    caller = asyncio.create_task(to_its_end(step.run()))
    await step.begun.wait()
    caller.cancel()
    await asyncio.wait([caller], timeout=0.01)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert not step.ended
    step.let_on.set()

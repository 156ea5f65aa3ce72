"""Retrying a look at the system until it shows what is expected, with a limit."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from deploy.local.waiting import until

T = TypeVar("T")

# Generous: it is only ever waited out by a test that fails, and the machine may be busy.
LIMIT_SECONDS = 45.0


async def eventually(
    look: Callable[[], Awaitable[T | None]], what: str, seconds: float = LIMIT_SECONDS
) -> T:
    """Return the first thing that `look` finds; an AssertionError after `seconds` without any."""
    found: T | None = None

    async def is_found() -> bool:
        nonlocal found
        found = await look()
        return found is not None

    try:
        await until(is_found, seconds)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what}") from None
    assert found is not None
    return found

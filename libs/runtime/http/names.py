"""Looking host names up without letting a slow name server hold anybody else."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from libs.runtime.http.addresses import EgressPolicy, is_blocked
from libs.runtime.http.urls import CheckedURL, InvalidURL

LOOKUP_TIMEOUT = 4.0


class LookupTimedOut(OSError):
    """The name servers gave no answer in time."""


def system_addresses(host: str) -> tuple[str, ...]:
    """Ask the system's resolver, blocking; the addresses in its order of preference.

    Raises:
        OSError: the name has no address, or the resolver failed.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Answer(NamedTuple):
    addresses: tuple[str, ...]
    expires_at: float


class NameLookup:
    """Looks names up in threads of its own; remembers answers for `ttl` seconds.

    A name is asked for once at a time however many wait for it, so a name whose servers hang holds
    one of the `max_threads` threads, and not the event loop's default executor. At most `max_names`
    answers are kept. Answers are not judged here. Close it when done; a lookup that hangs then
    runs on in its thread.
    """

    def __init__(
        self,
        addresses_of: Callable[[str], tuple[str, ...]] = system_addresses,
        *,
        ttl: float = 5.0,
        max_names: int = 4096,
        max_threads: int = 128,
    ) -> None:
        self._addresses_of = addresses_of
        self._ttl = ttl
        self._max_names = max_names
        self._threads = ThreadPoolExecutor(max_threads, thread_name_prefix="lookup")
        self._answers: dict[str, _Answer] = {}
        self._pending: dict[str, asyncio.Future[tuple[str, ...]]] = {}

    async def addresses(self, host: str, timeout: float = LOOKUP_TIMEOUT) -> tuple[str, ...]:
        """Give every address of `host`, waiting at most `timeout` seconds.

        Raises:
            LookupTimedOut: no answer in time.
            OSError: the name has no address, or the resolver failed.
        """
        loop = asyncio.get_running_loop()
        known = self._answers.get(host)
        if known is not None and loop.time() < known.expires_at:
            return known.addresses
        pending = self._pending.get(host)
        if pending is None:
            pending = loop.run_in_executor(self._threads, self._addresses_of, host)
            self._pending[host] = pending
            pending.add_done_callback(partial(self._settle, host))
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(pending)
        except TimeoutError as error:
            raise LookupTimedOut from error

    def _settle(self, host: str, answered: asyncio.Future[tuple[str, ...]]) -> None:
        del self._pending[host]
        self._answers.pop(host, None)
        if answered.cancelled() or answered.exception() is not None:
            return
        if len(self._answers) >= self._max_names:
            del self._answers[next(iter(self._answers))]
        expires_at = answered.get_loop().time() + self._ttl
        self._answers[host] = _Answer(answered.result(), expires_at)

    def close(self) -> None:
        """Take no more lookups and drop those that have not started."""
        self._threads.shutdown(wait=False, cancel_futures=True)


async def resolve_check(
    url: CheckedURL, policy: EgressPolicy, names: NameLookup, timeout: float = 2.0
) -> None:
    """Judge what the URL's name means right now, for refusing it early.

    It proves nothing about later: the client judges again whenever it connects.

    Raises:
        InvalidURL: the name has a blocked address among its addresses.
    """
    if url.trusted or url.address is not None:
        return
    try:
        addresses = await names.addresses(url.host, timeout)
    except OSError:
        # Contract §14 nr 17: a name without an answer may get one before it is called.
        return
    if any(is_blocked(address, policy) for address in addresses):
        raise InvalidURL("the host is blocked: all its addresses must be public")

import asyncio
import socket
import threading

import pytest

from libs.runtime.http.addresses import EgressPolicy
from libs.runtime.http.names import LookupTimedOut, NameLookup, resolve_check
from libs.runtime.http.urls import InvalidURL, check_url
from tests.libs.runtime.http.servers import NameServer

STRICT = EgressPolicy()


async def test_an_answer_is_remembered_for_its_time() -> None:
    server = NameServer({"a.example": [["1.1.1.1"], ["2.2.2.2"]]})
    with server.lookup(ttl=60) as names:
        assert await names.addresses("a.example") == ("1.1.1.1",)
        assert await names.addresses("a.example") == ("1.1.1.1",)
    assert server.asked == ["a.example"]


async def test_an_answer_is_forgotten_after_its_time() -> None:
    server = NameServer({"a.example": [["1.1.1.1"], ["2.2.2.2"]]})
    with server.lookup(ttl=0) as names:
        assert await names.addresses("a.example") == ("1.1.1.1",)
        assert await names.addresses("a.example") == ("2.2.2.2",)


async def test_few_answers_are_kept() -> None:
    server = NameServer({f"{n}.example": [["1.1.1.1"]] for n in range(3)})
    with server.lookup(ttl=60, max_names=2) as names:
        for n in (0, 1, 2, 1, 2, 0):
            await names.addresses(f"{n}.example")
    assert server.asked == ["0.example", "1.example", "2.example", "0.example"]


async def test_a_name_is_asked_for_once_at_a_time() -> None:
    server = NameServer({"a.example": [["1.1.1.1"]]})
    with server.lookup(ttl=0) as names:
        answers = await asyncio.gather(*(names.addresses("a.example") for _ in range(50)))
    assert set(answers) == {("1.1.1.1",)}
    assert server.asked == ["a.example"]


async def test_a_name_without_addresses_is_asked_for_again() -> None:
    server = NameServer({})
    with server.lookup() as names:
        for _ in range(2):
            with pytest.raises(socket.gaierror):
                await names.addresses("a.example")
    assert len(server.asked) == 2


async def test_a_hanging_name_holds_one_thread_and_nobody_else() -> None:
    release = threading.Event()

    def addresses_of(host: str) -> tuple[str, ...]:
        if host == "hangs.example":
            release.wait()
        return ("1.1.1.1",)

    names = NameLookup(addresses_of, max_threads=2)
    try:
        waiting = [names.addresses("hangs.example", timeout=0.05) for _ in range(20)]
        for error in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(error, LookupTimedOut)
        assert await names.addresses("works.example", timeout=1) == ("1.1.1.1",)
    finally:
        release.set()
        names.close()


async def test_the_systems_resolver_knows_this_machine() -> None:
    names = NameLookup()
    try:
        assert {"127.0.0.1", "::1"}.intersection(await names.addresses("localhost"))
    finally:
        names.close()


@pytest.mark.parametrize("blocked", ["127.0.0.1", "169.254.169.254", "fe80::1", "::ffff:10.0.0.1"])
async def test_a_name_with_any_blocked_address_is_refused_early(blocked: str) -> None:
    server = NameServer({"a.example": [["1.1.1.1", blocked]]})
    with server.lookup() as names, pytest.raises(InvalidURL, match="blocked") as caught:
        await resolve_check(check_url("https://a.example/", STRICT), STRICT, names)
    assert blocked not in caught.value.reason


async def test_a_name_without_an_answer_is_judged_later() -> None:
    release = threading.Event()

    def addresses_of(host: str) -> tuple[str, ...]:
        if host == "hangs.example":
            release.wait()
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    names = NameLookup(addresses_of)
    try:
        await resolve_check(check_url("https://unknown.example/", STRICT), STRICT, names)
        await resolve_check(check_url("https://hangs.example/", STRICT), STRICT, names, 0.05)
    finally:
        release.set()
        names.close()


async def test_an_address_and_a_trusted_url_are_not_looked_up() -> None:
    server = NameServer({})
    with server.lookup() as names:
        await resolve_check(check_url("https://8.8.8.8/", STRICT), STRICT, names)
    assert server.asked == []

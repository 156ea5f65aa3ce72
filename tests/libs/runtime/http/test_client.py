import asyncio

import pytest

from libs.runtime.http.addresses import EgressPolicy, TrustedOrigin
from libs.runtime.http.client import OutboundClient
from libs.runtime.http.failures import Blocked
from libs.runtime.http.names import NameLookup
from libs.runtime.http.urls import check_url
from tests.libs.runtime.http.conftest import INSECURE, Certificates
from tests.libs.runtime.http.receivers import OK, answering, hanging_after, read_request, receiving
from tests.libs.runtime.http.servers import Dialer, NameServer

STRICT = EgressPolicy()


async def test_the_exact_bytes_arrive_and_the_answer_comes_back(client: OutboundClient) -> None:
    arrived: list[tuple[bytes, bytes]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await read_request(reader))
        writer.write(
            b"HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nretry-after: 8\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
        )

    body = b'{"a": 1, "b": "\\u00e4"}'
    async with receiving(answer) as receiver:
        url = check_url(receiver.url("/p%20q?x=%C3%A9&y"), INSECURE)
        response = await client.send("POST", url, {"X-A": "b"}, body, 5)
    [(head, sent)] = arrived
    assert sent == body
    assert head.startswith(b"POST /p%20q?x=%C3%A9&y HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nX-A: b\r\n" in head
    assert (response.status, response.body, response.body_complete) == (429, b"abcdef", True)
    assert response.headers["RETRY-AFTER"] == "7"
    assert not response.truncated


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
)
async def test_an_empty_body_is_complete(client: OutboundClient, answer: bytes) -> None:
    async with receiving(answering(answer)) as receiver:
        response = await client.send("PUT", check_url(receiver.url(), INSECURE), {}, b"", 5)
    assert (response.body, response.body_complete, response.truncated) == (b"", True, False)


async def test_a_body_without_length_ends_with_the_connection(client: OutboundClient) -> None:
    answer = answering(b"HTTP/1.0 200 OK\r\n\r\nabc", then_close=True)
    async with receiving(answer) as receiver:
        response = await client.send("POST", check_url(receiver.url(), INSECURE), {}, b"", 5)
    assert (response.body, response.body_complete) == (b"abc", True)


@pytest.mark.parametrize(("size", "complete"), [(256 * 1024, True), (256 * 1024 + 1, False)])
async def test_the_limit_itself_fits(client: OutboundClient, size: int, complete: bool) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)
    async with receiving(answering(answer)) as receiver:
        response = await client.send("POST", check_url(receiver.url(), INSECURE), {}, b"", 5)
    assert (response.body_complete, response.truncated) == (complete, not complete)
    assert response.body == bytes(256 * 1024)


async def test_a_large_request_arrives_whole(client: OutboundClient) -> None:
    arrived: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, body = await read_request(reader)
        arrived.append(body)
        writer.write(OK)

    body = bytes(range(256)) * (6 * 4096)
    async with receiving(answer) as receiver:
        await client.send("POST", check_url(receiver.url(), INSECURE), {}, body, 5)
    assert arrived == [body]


async def test_a_connection_serves_many_requests(client: OutboundClient) -> None:
    async with receiving(answering(OK)) as receiver:
        url = check_url(receiver.url(), INSECURE)
        for _ in range(20):
            assert (await client.send("POST", url, {}, b"{}", 5)).status == 200
    assert receiver.connections == 1


async def test_one_host_takes_no_more_connections_than_its_share(names: NameLookup) -> None:
    async with (
        OutboundClient(
            INSECURE, names, user_agent="Test/1.0", max_connections=8, max_per_host=2
        ) as client,
        receiving(hanging_after()) as slow,
        receiving(answering(OK)) as quick,
    ):
        url = check_url(slow.url(), INSECURE)
        waiting = [asyncio.create_task(client.send("POST", url, {}, b"", 60)) for _ in range(6)]
        for _ in range(10):
            sent = client.send("POST", check_url(quick.url(), INSECURE), {}, b"", 20)
            assert (await sent).status == 200
        assert slow.connections == 2
        for task in waiting:
            task.cancel()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(error, asyncio.CancelledError) for error in ended)


async def test_a_cancelled_send_leaves_nothing_open(client: OutboundClient) -> None:
    async with receiving(hanging_after()) as receiver:
        url = check_url(receiver.url(), INSECURE)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await client.send("POST", url, {}, b"", 5)
    assert receiver.connections == 3


async def test_a_certificate_for_the_host_is_trusted(
    names: NameLookup, certificates: Certificates
) -> None:
    async with (
        receiving(answering(OK), tls=certificates.serving()) as receiver,
        OutboundClient(
            INSECURE, names, user_agent="T/1", max_connections=2, tls=certificates.trusting()
        ) as client,
    ):
        url = check_url(receiver.url(scheme="https"), INSECURE)
        for _ in range(3):
            assert (await client.send("POST", url, {}, b"{}", 5)).body == b"{}"
    assert receiver.connections == 1


async def test_a_name_is_dialed_at_the_address_that_was_judged() -> None:
    server = NameServer({"hook.example": [["127.0.0.1"], ["169.254.169.254"]]})
    async with receiving(answering(OK)) as receiver:
        with server.lookup() as names:
            async with OutboundClient(
                INSECURE, names, user_agent="Test/1.0", max_connections=2
            ) as client:
                url = check_url(f"http://hook.example:{receiver.port}/", INSECURE)
                assert (await client.send("POST", url, {}, b"", 5)).status == 200
    assert server.asked == ["hook.example"]


async def test_no_proxy_of_the_environment_is_used(
    client: OutboundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving(answering(OK)) as receiver, receiving(answering(OK)) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        await client.send("POST", check_url(receiver.url(), INSECURE), {}, b"", 5)
    assert (receiver.connections, proxy.connections) == (1, 0)


async def test_a_trusted_url_is_dialed_though_its_address_is_blocked(names: NameLookup) -> None:
    async with receiving(answering(OK)) as receiver:
        policy = EgressPolicy(
            trusted_origins=(TrustedOrigin("https://cue.example/echo/", receiver.url("/echo/")),)
        )
        async with OutboundClient(
            policy, names, user_agent="Test/1.0", max_connections=2
        ) as client:
            url = check_url("https://cue.example/echo/abc", policy)
            assert (await client.send("POST", url, {}, b"", 5)).status == 200
            # The pooled connection stays out of reach of a URL that only names the same server.
            with pytest.raises(Blocked):
                await client.send("POST", check_url(receiver.url(), INSECURE), {}, b"", 5)
    assert receiver.connections == 1


async def test_a_name_with_many_addresses_is_dialed_at_few(names: NameLookup) -> None:
    dialer = Dialer()
    server = NameServer({"many.example": [[f"8.8.{n}.8" for n in range(200)]]})
    with server.lookup() as many:
        async with OutboundClient(
            STRICT, many, user_agent="T/1", max_connections=2, open_socket=dialer.open_socket
        ) as client:
            with pytest.raises(Exception, match="Could not connect"):
                await client.send("POST", check_url("https://many.example/", STRICT), {}, b"", 5)
    assert 1 <= len(set(dialer.dialed)) <= 8

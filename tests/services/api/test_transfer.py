"""How answers travel: compressed for who asks, HEAD without a body, OPTIONS with the methods."""

from __future__ import annotations

import gzip
import time

import httpx
import pytest

from libs.runtime.postgres import Unavailable
from services.api.app import RESOURCES
from services.api.routes.operation import Streamed
from services.api.routes.remembered import Remembered
from services.api.routes.transfer import SMALLEST_BYTES, asks_for_gzip
from tests.services.api.bodies import CUE
from tests.services.api.conftest import Fixture

OPERATIONS = [operation for resource in RESOURCES for operation in resource.all]
READS = sorted(
    each.path
    for each in OPERATIONS
    if each.method == "GET" and not any(issubclass(m, Streamed) for m in each.answers.values() if m)
)


async def raw(api: Fixture, path: str, accepts: str | None) -> tuple[httpx.Headers, bytes]:
    headers = {} if accepts is None else {"Accept-Encoding": accepts}
    request = api.client.build_request("GET", path, headers=headers)
    if accepts is None:
        del request.headers["Accept-Encoding"]
    response = await api.client.send(request, stream=True)
    body = b"".join([chunk async for chunk in response.aiter_raw()])
    return response.headers, body


async def test_a_large_answer_is_compressed_for_who_asks(api: Fixture) -> None:
    _, plain = await raw(api, "/openapi.json", None)
    headers, small = await raw(api, "/openapi.json", "gzip, deflate")
    assert headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in headers["vary"]
    assert int(headers["content-length"]) == len(small) < len(plain) / 5
    assert gzip.decompress(small) == plain


@pytest.mark.parametrize("accepts", [None, "", "identity", "br", "gzip;q=0", "gzip; q=0.0, br"])
async def test_who_does_not_ask_gets_it_plain(api: Fixture, accepts: str | None) -> None:
    headers, body = await raw(api, "/openapi.json", accepts)
    assert "content-encoding" not in headers
    assert body.startswith(b"{")


@pytest.mark.parametrize("accepts", ["gzip", "GZIP", "br, gzip", "gzip;q=0.5", "x-gzip"])
def test_ways_to_ask(accepts: str) -> None:
    assert asks_for_gzip({"headers": [(b"accept-encoding", accepts.encode())]})


async def test_small_answers_and_pages_stay_plain(api: Fixture) -> None:
    small, body = await raw(api, "/status", "gzip")
    assert "content-encoding" not in small
    assert len(body) < SMALLEST_BYTES
    page, _ = await raw(api, "/auth/device", "gzip")
    assert "content-encoding" not in page


@pytest.mark.parametrize("path", READS)
async def test_head_is_get_without_its_body(api: Fixture, path: str) -> None:
    url = path.replace("{", "").replace("}", "")
    told = await api.client.get(url, headers={"Accept-Encoding": "identity"})
    head = await api.client.head(url)
    assert head.status_code == told.status_code
    assert head.headers["content-type"] == told.headers["content-type"]
    assert head.content == b""
    assert "x-request-id" in head.headers


async def test_options_tells_the_methods(api: Fixture) -> None:
    response = await api.client.options("/v1/cues")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert (await api.client.options("/v1/nothing")).status_code == 404


async def test_status_touches_the_database_once_for_many_calls(api: Fixture) -> None:
    await api.client.get("/status")
    asked = len(api.store.asked)
    began = time.perf_counter()
    for _ in range(50):
        assert (await api.client.get("/status")).status_code == 200
    assert len(api.store.asked) - asked <= 3 * (1 + int(time.perf_counter() - began))


async def test_status_tells_when_the_database_went(api: Fixture) -> None:
    api.store.broken = Unavailable("away")
    down = await api.client.get("/status")
    assert (down.status_code, down.json()["status"]) == (503, "down")


async def test_a_reading_is_shared_and_done_again_when_it_is_old() -> None:
    readings = iter(range(10))

    async def read() -> int:
        return next(readings)

    lasting = Remembered[int](fresh_seconds=60)
    assert [await lasting.get(read) for _ in range(3)] == [0, 0, 0]
    fleeting = Remembered[int](fresh_seconds=-1)
    assert [await fleeting.get(read) for _ in range(3)] == [1, 2, 3]


async def test_a_reading_that_failed_is_tried_again() -> None:
    async def fail() -> int:
        raise Unavailable("away")

    async def read() -> int:
        return 7

    remembered = Remembered[int](fresh_seconds=60)
    with pytest.raises(Unavailable):
        await remembered.get(fail)
    assert await remembered.get(read) == 7


async def test_entity_tags_on_the_three_endpoints(api: Fixture) -> None:
    made = await api.client.post("/v1/cues", json=CUE)
    path, tag = f"/v1/cues/{made.json()['id']}", made.headers["etag"]
    assert (await api.client.get(path)).headers["etag"] == tag
    for method, body in (("PATCH", {"name": "n"}), ("DELETE", None)):
        await api.client.request(method, path, json=body, headers={"If-Match": tag})
        assert api.bus.command.if_version == 1
        await api.client.request(method, path, json=body, headers={"If-Match": '"other"'})
        assert api.bus.command.if_version == -1
        await api.client.request(method, path, json=body, headers={"If-Match": "*"})
        assert api.bus.command.if_version is None

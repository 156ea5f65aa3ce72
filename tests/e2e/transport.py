"""httpx's requests over aiohttp's connections: a third of the work, where thousands are sent."""

import io
from typing import Self

import aiohttp
import httpx
from typing_extensions import override


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Sends at most `connections` requests at once, each within `timeout` seconds."""

    def __init__(self, connections: int, timeout: float) -> None:
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    @override
    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            timeout=self._timeout,
            auto_decompress=False,  # httpx does it
        )
        return self

    @override
    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert self._session is not None, "enter the client first"
        try:
            async with self._session.request(
                request.method,
                str(request.url),
                headers=request.headers.multi_items(),
                data=io.BytesIO(await request.aread()),
                allow_redirects=False,
            ) as answer:
                body = await answer.read()
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error), request=request) from error
        except aiohttp.ClientError as error:
            raise httpx.NetworkError(str(error), request=request) from error
        return httpx.Response(answer.status, headers=answer.raw_headers, content=body)

"""Waiting for the state of other programs, which have no event to wait on."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import httpx

_POLL_SECONDS = 0.03
_PROBE_SECONDS = 2.0

# For plain HTTP: without this, each client would spend 0.4 s on reading certificates that
# it never needs.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def until(holds: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Wait until `holds()` is true. Raises `TimeoutError` after `seconds`."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - see the module
            await asyncio.sleep(_POLL_SECONDS)


async def answers(url: str) -> bool:
    """Say whether a GET of `url` is answered with 2xx now."""
    async with httpx.AsyncClient(verify=NO_CERTIFICATES, trust_env=False) as client:
        try:
            return (await client.get(url, timeout=_PROBE_SECONDS)).is_success
        except httpx.TransportError:
            return False

"""What users make the system call: URLs and headers, judged before they are stored."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from libs.events.blobs import Blob, blob_of
from libs.runtime.crypto import CannotOpen, Keyring
from libs.runtime.http.headers import check_headers
from libs.runtime.http.names import resolve_check
from libs.runtime.http.urls import InvalidURL, check_url
from services.api.errors import ApiError, Detail, ShapeError
from services.api.routes.ports import Ports

OWN_HEADERS = ("x-cueapi-",)
_SEALED_HEADERS = "callback-headers"


async def check_urls(ports: Ports, urls: Mapping[str, str | None], code: str) -> None:
    """Judge URLs by field; a name is looked up for at most two seconds (contract §6).

    Raises ApiError with `code` for the first one that is refused.
    """
    given = [(field, url) for field, url in urls.items() if url is not None]
    if len(given) == 1:
        await _check(ports, *given[0], code)
    else:
        await asyncio.gather(*(_check(ports, field, url, code) for field, url in given))


async def _check(ports: Ports, field: str, text: str, code: str) -> None:
    policy = ports.rules.egress
    try:
        await resolve_check(check_url(text, policy), policy, ports.names)
    except InvalidURL as error:
        raise ApiError(code, f"{field}: {error.reason}") from error


def sealed_headers(
    keyring: Keyring, account_id: str, headers: Mapping[str, str] | None
) -> Blob | None:
    """Encrypt custom headers, whose values are secrets; None when there are none.

    Raises ShapeError when a header can't be sent.
    """
    if not headers:
        return None
    faults = check_headers(headers, OWN_HEADERS)
    if faults:
        raise ShapeError(
            [Detail(f"body.callback.headers.{name}", reason) for name, reason in faults]
        )
    plain = msgspec.json.encode(dict(headers))
    return blob_of(keyring.seal(account_id, _SEALED_HEADERS, plain))


def opened_headers(keyring: Keyring, account_id: str, sealed: bytes | None) -> dict[str, str]:
    """Decrypt custom headers for their owner; none when the key that sealed them is gone."""
    if sealed is None:
        return {}
    try:
        plain = keyring.open(account_id, _SEALED_HEADERS, sealed)
    except CannotOpen:
        return {}
    return msgspec.json.decode(plain, type=dict[str, str])

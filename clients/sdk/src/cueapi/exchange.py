"""A call carried out without doing any IO: steps go out, their results come in.

The sync and the async client share all of this and differ only in how they take the two steps.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from random import random
from typing import Any, TypeAlias, TypeVar, cast
from uuid import uuid4

import httpx

from cueapi.calls import Call
from cueapi.errors import CueAPIError, refusal, retry_after_seconds, unanswered
from cueapi.retries import RETRIED_STATUSES
from cueapi.settings import Settings

T = TypeVar("T")

_CHANGES = frozenset({"POST", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Send:
    """Send this request and come back with the response, or throw the httpx.TransportError in."""

    request: httpx.Request


@dataclass(frozen=True)
class Wait:
    """Come back after so many seconds."""

    seconds: float


Step: TypeAlias = "Send | Wait"
Steps: TypeAlias = Generator[Step, "httpx.Response | None", T]


def exchange(call: Call[T], settings: Settings, build: Callable[..., httpx.Request]) -> Steps[T]:
    """Carry out a call, and those that follow from it; `build` makes the requests.

    Returns what the last call's `parse` makes. Raises CueAPIError.
    """
    result: Any = call
    while isinstance(result, Call):
        result = result.parse((yield from _answer(result, settings, build)))
    return cast("T", result)


def _answer(call: Call[Any], settings: Settings, build: Callable[..., httpx.Request]) -> Steps[Any]:
    request = request_of(call, settings, build)
    tries = 0
    while True:
        tries += 1
        response: httpx.Response | None = None
        try:
            response = yield Send(request)
        except httpx.TransportError as failure:
            error: CueAPIError = unanswered(failure)
            cause: Exception | None = failure
        else:
            if response is None:
                raise AssertionError("a request was sent and no response came back")
            if response.is_success or response.status_code in call.accept:
                return document_in(response)
            error, cause = refusal(response), None
        seconds = _wait(call, settings, tries, response)
        if seconds is None:
            raise error from cause
        yield Wait(seconds)


def request_of(
    call: Call[Any],
    settings: Settings,
    build: Callable[..., httpx.Request],
    timeout: httpx.Timeout | None = None,
) -> httpx.Request:
    """Make the request of a call; all tries of it are this one, idempotency key included."""
    headers = {**settings.request_headers(), **call.headers}
    if call.idempotency_key is not None:
        headers["Idempotency-Key"] = call.idempotency_key
    elif call.method in _CHANGES and call.retried and settings.retry.retries:
        # Without a second try there is nothing to recognise, and the server need keep no answer.
        headers["Idempotency-Key"] = uuid4().hex
    content = None
    if call.json is not None:
        headers["Content-Type"] = "application/json"
        content = json.dumps(call.json, ensure_ascii=False, allow_nan=False).encode()
    return build(
        call.method,
        settings.url(call.path),
        params=call.query or None,
        headers=headers,
        content=content,
        timeout=timeout or call.timeout or settings.timeout,
    )


def document_in(response: httpx.Response) -> Any:
    """Give the JSON in an answer, None if it is empty. Raises CueAPIError if it is no JSON."""
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError as error:
        message = f"{response.request.url} did not answer in JSON: is it the API's base URL?"
        raise CueAPIError(message, response.status_code, None, response.text) from error


def _wait(
    call: Call[Any], settings: Settings, tries: int, response: httpx.Response | None
) -> float | None:
    if not call.retried:
        return None
    if response is not None and response.status_code not in RETRIED_STATUSES:
        return None
    asked = None if response is None else retry_after_seconds(response.headers)
    return settings.retry.wait(tries, random(), asked)  # noqa: S311  # jitter

"""Signing in by mail: a link is sent, its owner opens it, the key comes (clients.md §2)."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from time import monotonic
from typing import Final

from cueapi import CueAPI, CueAPIError

from cueapi_worker.errors import WorkerError

_ALPHABET: Final = string.ascii_lowercase + string.digits
_POLL_SECONDS: Final = 5.0

Say = Callable[[str], None]


class SignInFailed(WorkerError):
    """Nobody opened the link in time, or the server would not send one."""


def sign_in(client: CueAPI, email: str, say: Say, wait: Callable[[float], object]) -> str:
    """Have a link mailed and wait until it is opened; give the key. Raises SignInFailed.

    `client` needs no key; `wait` sleeps so many seconds.
    """
    code = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    try:
        begun = client.device_codes.create(code)
        client.device_codes.submit_email(code, email)
    except CueAPIError as error:
        raise SignInFailed(f"could not have a link sent: {error}", error.hint or "") from error
    say(f"A link was mailed to {email}. Open it and confirm the code {code}.")
    deadline = monotonic() + begun.expires_in
    while monotonic() < deadline:
        wait(_POLL_SECONDS)
        key = _look(client, code)
        if key is not None:
            return key
    raise SignInFailed("the link was not opened in time", "try again")


def _look(client: CueAPI, code: str) -> str | None:
    try:
        poll = client.device_codes.poll(code)
    except CueAPIError:
        return None  # the next look may get an answer
    if poll.api_key and not poll.existing_user:
        return poll.api_key
    if poll.status in ("expired", "claimed") or poll.status == "approved":
        raise SignInFailed(f"the sign-in ended as {poll.status}, without a key", "try again")
    return None

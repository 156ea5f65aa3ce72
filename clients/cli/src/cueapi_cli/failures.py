"""What a command may fail with: how it is told, and with which exit code it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cueapi_cli.paths import BadPath

if TYPE_CHECKING:
    from cueapi_cli.output import Paint

FAILED, USAGE, NOT_FOUND, NOT_SIGNED_IN, LIMIT, INTERRUPTED = 1, 2, 3, 4, 5, 130

_LIMITS = frozenset({"cue_limit_exceeded", "execution_limit_exceeded", "rate_limit_exceeded"})
_STEPS = {
    "cue_limit_exceeded": "Run `cueapi upgrade`, or pause a cue that you do not need.",
    "execution_limit_exceeded": "Run `cueapi usage` to see the month, `cueapi upgrade` for more.",
    "invalid_api_key": "Run `cueapi login`, or set CUEAPI_API_KEY.",
    "key_rotated": "Run `cueapi login`: this key was replaced.",
    "key_revoked": "Run `cueapi login`: this key was revoked.",
    "cue_not_found": "Run `cueapi list` to see the cues of this account.",
    "execution_not_found": "Run `cueapi executions list` to see the executions of this account.",
    "invalid_schedule": "Try it with `cueapi schedule explain`.",
    "invalid_timezone": "Use an IANA name, such as Europe/Berlin.",
}


class Failure(Exception):
    """A command cannot do what it was asked; `hint` says what to do next."""

    def __init__(self, message: str, hint: str | None = None, code: int = FAILED) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


class NotSignedIn(Failure):
    """There is no key to call with."""

    def __init__(self) -> None:
        hint = "Run `cueapi login`, set CUEAPI_API_KEY, or give --api-key."
        super().__init__("Not logged in.", hint, NOT_SIGNED_IN)


class WouldSend(Exception):
    """With `--dry-run` a request that would change something ends here."""

    def __init__(self, method: str, path: str, body: bytes) -> None:
        super().__init__(method, path)
        self.method = method
        self.path = path
        self.body = body


def exit_code(error: BaseException) -> int | None:
    """Give the exit code for what was raised; None for what is not ours to tell."""
    if isinstance(error, WouldSend):
        return 0
    if isinstance(error, Failure):
        return error.code
    if _is_interrupt(error):
        return INTERRUPTED
    if isinstance(error, BadPath):
        return USAGE
    # By name, so that a line which never came to a call need not load the SDK.
    if any(kind.__name__ == "CueAPIError" for kind in type(error).__mro__):
        return _code_of_refusal(error)
    return None


def told(error: BaseException, paint: Paint) -> Iterator[str]:
    """Give the lines that tell a failure: what, why, the next step, and what to quote."""
    if isinstance(error, WouldSend):
        yield f"Would send: {error.method} {error.path}"
        if error.body:
            yield json.dumps(json.loads(error.body), indent=2, ensure_ascii=False)
    elif _is_interrupt(error):
        yield paint.dim("Interrupted.")
    elif isinstance(error, (Failure, BadPath)):
        yield paint.bad(f"Error: {error}")
        if hint := getattr(error, "hint", None):
            yield f"Hint: {hint}"
    else:
        yield from _refusal(error, paint)


def _is_interrupt(error: BaseException) -> bool:
    # A prompt ends with Abort at Ctrl-C, and also where the answer is no.
    at_prompt = type(error).__name__ == "Abort"
    return isinstance(error.__context__ if at_prompt else error, KeyboardInterrupt)


def _code_of_refusal(error: Any) -> int:
    if error.code in _LIMITS:
        return LIMIT
    return {401: NOT_SIGNED_IN, 404: NOT_FOUND, 429: LIMIT}.get(error.status_code, FAILED)


def _refusal(error: Any, paint: Paint) -> Iterator[str]:
    code = f" ({error.code})" if error.code else ""
    yield paint.bad(f"Error: {error.message}{code}")
    details = [each for each in error.details if each.get("field")]
    if len(details) > 1:
        yield from (f"  {each['field']}: {each.get('message', '')}" for each in details)
    hint = _STEPS.get(error.code or "") or error.hint
    if error.status_code is None:
        hint = "Is the server there? `cueapi doctor` tells more."
    if hint:
        yield f"Hint: {hint}"
    if error.request_id:
        yield paint.dim(f"Request id: {error.request_id}")

"""The one place where randomness enters: ids, keys, secrets and jitter."""

from __future__ import annotations

import os
import secrets
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from libs.runtime.clock import unix_seconds

_POOL_BYTES = 8_192
_ALPHABET = string.ascii_lowercase + string.digits


class _Entropy:
    """The operating system's randomness, taken in large pieces: a system call for each id is dear.

    Only for ids and jitter. Keys and secrets come from `secrets` directly.
    """

    def __init__(self) -> None:
        self._pool = b""
        self._used = 0
        self.source: Callable[[int], bytes] = os.urandom

    def take(self, size: int) -> bytes:
        """Give bytes that were never given before."""
        if self._used + size > len(self._pool):
            self._pool, self._used = self.source(_POOL_BYTES), 0
        start = self._used
        self._used += size
        return self._pool[start : self._used]

    def forget(self) -> None:
        """Start anew: a forked process would give what its parent gives."""
        self._pool, self._used = b"", 0


_ENTROPY = _Entropy()
os.register_at_fork(after_in_child=_ENTROPY.forget)


@contextmanager
def drawn_from(source: Callable[[int], bytes]) -> Iterator[None]:
    """Make ids and jitter of this source of bytes within the block, so that a run repeats itself.

    For simulations alone: what a seed gives can be guessed.
    """
    before, _ENTROPY.source = _ENTROPY.source, source
    _ENTROPY.forget()
    try:
        yield
    finally:
        _ENTROPY.source = before
        _ENTROPY.forget()


def new_uuid() -> str:
    """Make a UUIDv7 (RFC 9562): lowercase, unguessable (74 random bits), sorted by millisecond."""
    raw = bytearray(int(unix_seconds() * 1000).to_bytes(6, "big") + _ENTROPY.take(10))
    raw[6] = (raw[6] & 0x0F) | 0x70
    raw[8] = (raw[8] & 0x3F) | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_cue_id() -> str:
    """Make `cue_` and 12 of `[a-z0-9]` (contract §1)."""
    return "cue_" + "".join(secrets.choice(_ALPHABET) for _ in range(12))


def new_api_key() -> str:
    """Make `cue_sk_` and 32 hex digits (contract §1)."""
    return "cue_sk_" + secrets.token_hex(16)


def new_webhook_secret() -> str:
    """Make `whsec_` and 64 hex digits (contract §1)."""
    return "whsec_" + secrets.token_hex(32)


def new_device_code() -> str:
    """Make `XXXX-XXXX` of letters and digits that are not taken for one another."""
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    letters = "".join(secrets.choice(alphabet) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def new_link_token() -> str:
    """Make 64 hex digits, for a link that works once."""
    return secrets.token_hex(32)


def new_session_token() -> str:
    """Make `stk_` and 64 hex digits: a token that starts one session (contract nr 32)."""
    return "stk_" + secrets.token_hex(32)


def new_trace_parent() -> str:
    """Start a W3C trace: version, 16-byte trace id, 8-byte span id, sampled."""
    raw = _ENTROPY.take(24).hex()
    return f"00-{raw[:32]}-{raw[32:]}-01"


def jittered(seconds: float) -> float:
    """Spread a delay over [half, whole] of `seconds`, so that retries do not march in step."""
    return seconds * (0.5 + int.from_bytes(_ENTROPY.take(4), "big") / 2**33)


def new_span_of(trace_parent: str | None) -> str:
    """Start a span in the trace of a W3C traceparent, or a new trace without one."""
    if trace_parent is None:
        return new_trace_parent()
    return f"{trace_parent[:35]}-{_ENTROPY.take(8).hex()}-{trace_parent[-2:]}"

"""Headers that users add to requests which are sent for them."""

import re
from collections.abc import Collection, Mapping

MAX_VALUE_LENGTH = 4096
MASKED = "***"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Controls without the tab (RFC 9110 §5.5), and what has no UTF-8 form.
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]")

# What frames the message, what the client itself says, what speaks to the next hop, who asks.
_RESERVED = frozenset(
    {
        *("host", "content-length", "content-type", "transfer-encoding", "connection"),
        *("user-agent", "keep-alive", "te", "trailer", "upgrade", "expect", "forwarded"),
        *("webhook-id", "webhook-timestamp", "webhook-signature", "traceparent"),
    }
)
_RESERVED_PREFIXES = ("proxy-", "x-forwarded-")


def check_headers(
    headers: Mapping[str, str], own_prefixes: tuple[str, ...]
) -> list[tuple[str, str]]:
    """List what is wrong with `headers` as (name, reason); an empty list is acceptable.

    `own_prefixes`, lower case, start the names that the sender sets itself. Rules: contract §6
    "Custom headers" and §16 "Standard Webhooks".
    """
    reserved = _RESERVED_PREFIXES + own_prefixes
    return [
        (name, reason)
        for name, value in headers.items()
        if (reason := _problem(name, value, reserved)) is not None
    ]


def masked(headers: Mapping[str, str], secret: Collection[str]) -> dict[str, str]:
    """Give headers to be shown, without the values of those whose names are `secret`."""
    return {name: MASKED if name in secret else value for name, value in headers.items()}


def _problem(name: str, value: str, reserved_prefixes: tuple[str, ...]) -> str | None:
    lowered = name.lower()
    if not _TOKEN.fullmatch(name):
        return "a header name is letters, digits and !#$%&'*+-.^_`|~"
    if lowered in _RESERVED or lowered.startswith(reserved_prefixes):
        return "this header is set by the sender and can't be chosen"
    if len(value) > MAX_VALUE_LENGTH:
        return f"a header value has at most {MAX_VALUE_LENGTH} characters"
    if _UNSENDABLE.search(value):
        return "a header value has no line breaks or control characters"
    return None

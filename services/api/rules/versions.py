"""A cue's version as an entity tag (contract §16, `ETag` and `If-Match`)."""

from __future__ import annotations

import re

_TAG = re.compile(r'"(\d{1,9})"', re.ASCII)
NEVER = -1
"""A version that nothing has: a condition on it always fails."""


def etag(version: int) -> str:
    """The tag of a version."""
    return f'"{version}"'


def expected_version(if_match: str | None) -> int | None:
    """The version that `If-Match` asks for; None when it asks for none, or for any (`*`).

    A tag that was never given out asks for what nothing has. Of several tags the first counts.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tag = _TAG.fullmatch(if_match.partition(",")[0].strip())
    return int(tag[1]) if tag else NEVER

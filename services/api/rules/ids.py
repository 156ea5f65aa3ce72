"""The forms of ids: one of another form was never given out, so it is not looked for."""

from __future__ import annotations

import re

_CUE = re.compile(r"cue_[a-z0-9]{12}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def is_cue_id(text: str) -> bool:
    """`cue_` and 12 of `[a-z0-9]`."""
    return _CUE.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """A lowercase UUID with dashes: executions, alerts, keys, accounts."""
    return _UUID.fullmatch(text) is not None

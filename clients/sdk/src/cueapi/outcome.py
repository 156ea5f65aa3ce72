"""What a handler's end means: its return value or exception as an outcome."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from cueapi.limits import MAX_TEXT, as_json
from cueapi.values import present

SHOWN_TRACE = 4_000


@dataclass(frozen=True)
class Outcome:
    """How the work ended, and the evidence for it (contract nr 9)."""

    success: bool = True
    result: str | None = None
    error: str | None = None
    external_id: str | None = None
    result_url: str | None = None
    result_ref: str | None = None
    result_type: str | None = None
    summary: str | None = None
    artifacts: Sequence[Any] | None = None
    metadata: Mapping[str, Any] | None = None

    @classmethod
    def failure(cls, error: str, **evidence: Any) -> Outcome:
        """Say that the work failed, and why."""
        return cls(success=False, error=error, **evidence)

    def with_evidence(self, evidence: Mapping[str, Any]) -> Outcome:
        """Add evidence; what this outcome has already stays, metadata are merged."""
        missing = {n: v for n, v in evidence.items() if getattr(self, n) is None}
        metadata = {**(evidence.get("metadata") or {}), **(self.metadata or {})}
        return replace(self, **{**missing, "metadata": metadata or None})

    def body(self) -> dict[str, Any]:
        """Give the fields that are set."""
        return present(**{field.name: getattr(self, field.name) for field in fields(self)})


FIELDS = frozenset(field.name for field in fields(Outcome))


class Retry(Exception):
    """Return or raise it to have the execution done again, in `after` seconds or a little later.

    The worker lets its lease run out instead of reporting. The next claim counts as an attempt:
    when the cue's `retry.max_attempts` are used up, the execution fails.
    """

    def __init__(self, after: float = 0.0) -> None:
        super().__init__(f"retry after {after} seconds")
        self.after = after


def outcome_of(returned: Any) -> Outcome | Retry:
    """Read a handler's return value.

    None and True are success, False is failure, a text is the result. Of a dict the fields of an
    outcome are taken as such, all others go into the metadata. Anything else is the result, as
    JSON.
    """
    if isinstance(returned, (Outcome, Retry)):
        return returned
    if returned is None or isinstance(returned, bool):
        return Outcome(success=returned is not False)
    if isinstance(returned, str):
        return Outcome(result=returned)
    if isinstance(returned, Mapping):
        return _of_mapping(returned)
    return Outcome(result=as_json(returned))


def outcome_of_exception(raised: BaseException) -> Outcome | Retry:
    """Read what a handler raised: Retry is meant, all else is a failure."""
    if isinstance(raised, Retry):
        return raised
    trace = "".join(traceback.format_exception(raised))
    error = f"{type(raised).__name__}: {raised}"[:MAX_TEXT]
    return Outcome.failure(error, metadata={"traceback": trace[-SHOWN_TRACE:]})


def _of_mapping(returned: Mapping[Any, Any]) -> Outcome:
    own = {name: value for name, value in returned.items() if name in FIELDS}
    others = {str(name): value for name, value in returned.items() if name not in FIELDS}
    success = own.pop("success", True) is not False
    metadata = own.pop("metadata", None)
    told = {**(metadata if isinstance(metadata, Mapping) else {}), **others}
    return Outcome(success=success, metadata=told or None, **own)

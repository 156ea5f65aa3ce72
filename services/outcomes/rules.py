"""What an outcome must be backed by, and how evidence merges. Pure (contract §8, nr 10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from libs.events.base import VerificationMode

ARTIFACTS = 100
EVIDENCE = ("external_id", "result_url", "artifacts")

_REQUIRED = {
    VerificationMode.REQUIRE_EXTERNAL_ID: "external_id",
    VerificationMode.REQUIRE_RESULT_URL: "result_url",
    VerificationMode.REQUIRE_ARTIFACTS: "artifacts",
}


def missing_evidence(mode: VerificationMode, evidence: tuple[str, ...]) -> str | None:
    """Name the evidence that the mode asks for and that was not given, or None."""
    required = _REQUIRED.get(mode)
    return required if required is not None and required not in evidence else None


def merged_details(present: dict[str, Any], added: dict[str, Any]) -> dict[str, Any]:
    """Merge evidence: texts overwrite, artifacts are appended once each, metadata merges by key.

    Added metadata goes to `evidence_metadata`; the outcome's own is never touched.
    """
    merged = dict(present)
    for name, value in added.items():
        match name:
            case "artifacts":
                merged["artifacts"] = _appended(present.get("artifacts", ()), value)
            case "metadata":
                merged["evidence_metadata"] = {**present.get("evidence_metadata", {}), **value}
            case _:
                merged[name] = value
    return merged


def evidence_in(details: dict[str, Any]) -> tuple[str, ...]:
    """Name the evidence fields that are there and not empty."""
    return tuple(name for name in EVIDENCE if details.get(name))


def _appended(present: Sequence[Any], added: Sequence[Any]) -> list[Any]:
    """Append what is not there yet; equal as JSON, where `true` is not 1."""
    kept = list(present)
    known = {msgspec.json.encode(item, order="sorted") for item in kept}
    for item in added:
        text = msgspec.json.encode(item, order="sorted")
        if text not in known:
            known.add(text)
            kept.append(item)
    return kept[:ARTIFACTS]

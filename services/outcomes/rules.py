"""What an outcome must be backed by, and how evidence merges. Pure (contract §8, nr 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from libs.events.base import Rejection, VerificationMode
from libs.events.evidence import ARTIFACTS, ARTIFACTS_BYTES, METADATA_BYTES

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


def excess_of(details: Mapping[str, Any]) -> Rejection | None:
    """Refuse evidence that has grown beyond what one outcome may have in all."""
    artifacts = details.get("artifacts", ())
    if len(artifacts) > ARTIFACTS:
        message = f"an outcome has at most {ARTIFACTS} artifacts in all, not {len(artifacts)}"
        return Rejection(code="validation_error", message=message)
    if len(msgspec.json.encode(artifacts)) > ARTIFACTS_BYTES:
        message = f"the artifacts of an outcome have at most {ARTIFACTS_BYTES} bytes of JSON in all"
        return Rejection(code="validation_error", message=message)
    if len(msgspec.json.encode(details.get("evidence_metadata", {}))) > METADATA_BYTES:
        message = f"the metadata of an outcome's evidence has at most {METADATA_BYTES} bytes in all"
        return Rejection(code="metadata_too_large", message=message)
    return None


def _appended(present: Sequence[Any], added: Sequence[Any]) -> list[Any]:
    """Append what is not there yet; equal as JSON, where `true` is not 1."""
    kept = list(present)
    known = {msgspec.json.encode(item, order="sorted") for item in kept}
    for item in added:
        text = msgspec.json.encode(item, order="sorted")
        if text not in known:
            known.add(text)
            kept.append(item)
    return kept

"""The document in which an outcome's texts and evidence are stored (contract nr 9, nr 10).

It lies in `blobs` under `Report.details_ref`: compact JSON with the keys of `FIELDS` that have a
value. What is empty is absent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MAX_METADATA_BYTES = 10_240
MAX_ARTIFACTS = 100
MAX_ARTIFACTS_BYTES = 65_536
MAX_SUMMARY = 500

EVIDENCE = ("external_id", "result_url", "artifacts")
"""The fields that a verification mode may ask for."""

SCALARS = ("external_id", "result_url", "result_ref", "result_type", "summary")
FIELDS = ("result", "error", "metadata", *SCALARS, "artifacts", "evidence_metadata")


class TooManyArtifacts(ValueError):
    """An execution has at most 100 artifacts in all."""


def document_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the known fields that say something; an empty string or list says nothing."""
    return {
        name: fields[name] for name in FIELDS if name in fields and not _is_absent(fields[name])
    }


def evidence_in(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the evidence that a document holds."""
    return tuple(name for name in EVIDENCE if name in document)


def with_evidence(document: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Add evidence to a document (nr 10): scalars overwrite, artifacts are appended once each,
    `metadata` merges into `evidence_metadata`. Nothing is erased. Raises TooManyArtifacts.
    """
    added = document_of(more)
    merged = {**document, **{name: added[name] for name in SCALARS if name in added}}
    if "artifacts" in added:
        artifacts = _each_once([*document.get("artifacts", []), *added["artifacts"]])
        if len(artifacts) > MAX_ARTIFACTS:
            raise TooManyArtifacts(f"at most {MAX_ARTIFACTS} artifacts are kept")
        merged["artifacts"] = artifacts
    if "metadata" in added:
        merged["evidence_metadata"] = {
            **document.get("evidence_metadata", {}),
            **added["metadata"],
        }
    return merged


def summary_with_rejection(summary: str | None, rejection: str | None) -> str | None:
    """Append a person's reason for rejecting to the summary, cut at 500 characters (nr 13)."""
    if rejection is None:
        return summary
    return f"{summary or ''} | verification rejected: {rejection}"[:MAX_SUMMARY]


def _each_once(items: list[Any]) -> list[Any]:
    # By their JSON, since in Python 1, 1.0 and True are equal.
    return list({json.dumps(item, sort_keys=True): item for item in items}.values())


def _is_absent(value: Any) -> bool:
    return value is None or value in ("", [])

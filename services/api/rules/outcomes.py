"""The document in which an outcome's texts and evidence are stored (contract nr 9, nr 10).

It lies in `blobs` under a `details_ref`: compact JSON with the keys of `FIELDS` that say something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_METADATA_BYTES = 10_240
MAX_ARTIFACTS_BYTES = 65_536
MAX_SUMMARY = 500

EVIDENCE = ("external_id", "result_url", "artifacts")
"""The fields that a verification mode may ask for."""

FIELDS = (*EVIDENCE, "result", "error", "metadata", "result_ref", "result_type", "summary")


def document_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the known fields that say something; an empty string or list says nothing."""
    return {
        name: fields[name] for name in FIELDS if name in fields and not _is_absent(fields[name])
    }


def evidence_in(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the evidence that a document holds."""
    return tuple(name for name in EVIDENCE if name in document)


def summary_with_rejection(summary: str | None, rejection: str | None) -> str | None:
    """Append a person's reason for rejecting to the summary, cut at 500 characters (nr 13)."""
    if rejection is None:
        return summary
    return f"{summary or ''} | verification rejected: {rejection}"[:MAX_SUMMARY]


def _is_absent(value: Any) -> bool:
    return value is None or value in ("", [])

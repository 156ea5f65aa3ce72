"""The document in which an outcome's texts and evidence are stored (contract nr 9, nr 10).

It lies in `blobs` under a `details_ref`: compact JSON with the keys of `FIELDS` that say something.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.events.evidence import FIELDS, TEXT_LIMITS


def document_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the known fields that say something; an empty string or list says nothing."""
    return {
        name: fields[name] for name in FIELDS if name in fields and not _is_absent(fields[name])
    }


def summary_with_rejection(summary: str | None, rejection: str | None) -> str | None:
    """Append a person's reason for rejecting to the summary, cut at 500 characters (nr 13)."""
    if rejection is None:
        return summary
    return f"{summary or ''} | verification rejected: {rejection}"[: TEXT_LIMITS["summary"]]


def _is_absent(value: Any) -> bool:
    return value is None or value in ("", [])

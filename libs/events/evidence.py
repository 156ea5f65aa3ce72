"""What a report's texts and evidence may be, wherever they come from (contract nr 9, nr 10, §6).

They lie together in one document, in `blobs`, under the `details_ref` of a `Report`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT_LIMITS: Mapping[str, int] = {
    "result": 8_000,
    "error": 8_000,
    "external_id": 255,
    "result_ref": 500,
    "result_type": 50,
    "summary": 500,
}
"""Characters of each text."""

URL_LIMIT = 2_048
ARTIFACTS, ARTIFACTS_BYTES = 100, 65_536
METADATA_BYTES = 10_240

EVIDENCE = ("external_id", "result_url", "artifacts")
"""The fields that a verification mode may ask for."""

FIELDS = (*TEXT_LIMITS, "result_url", "artifacts", "metadata")
"""All that a report may say besides whether it was a success."""


def evidence_in(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the evidence that is there and not empty."""
    return tuple(name for name in EVIDENCE if document.get(name))

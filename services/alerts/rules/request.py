"""What a webhook that is told of trouble gets besides the body: headers (contract §6, §9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.runtime.http.signing import canonical_body, signature_headers


def headers_of(
    content: Mapping[str, Any], secrets: tuple[str, ...], timestamp: int
) -> dict[str, str]:
    """Give the headers for `content`, signed at `timestamp` (unix seconds).

    `secrets`: the present one, then the previous while both sign.
    """
    headers = {
        "Content-Type": "application/json",
        **signature_headers(secrets, timestamp, canonical_body(content)),
    }
    if "alert_id" in content:
        headers["X-CueAPI-Alert-Id"] = content["alert_id"]
        headers["X-CueAPI-Alert-Type"] = content["alert_type"]
    return headers

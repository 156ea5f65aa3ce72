"""A webhook that has arrived."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cueapi.models.model import Model


class Delivery(Model):
    """One attempt to have an execution done. `execution_id` is the same for all its attempts.

    `name` is the cue's, `payload` what it sends; a GET callback has neither. `test` marks a test
    delivery, which belongs to no execution.
    """

    execution_id: str
    cue_id: str
    name: str | None
    payload: dict[str, Any] | None
    attempt: int
    scheduled_for: datetime
    test: bool


def delivery_in(headers: Mapping[str, str], body: bytes) -> Delivery:
    """Read a delivery. Raises ValueError if it is none."""
    told = {name.lower(): value for name, value in headers.items()}
    test = told.get("x-cueapi-test", "").lower() == "true"
    if body:
        document = json.loads(body)
        if not isinstance(document, dict) or "execution_id" not in document:
            raise ValueError("the body is no delivery")
        return Delivery.from_dict({**document, "test": test})
    try:
        return Delivery(
            execution_id=told["x-cueapi-execution-id"],
            cue_id=told["x-cueapi-cue-id"],
            attempt=int(told["x-cueapi-attempt"]),
            scheduled_for=told["x-cueapi-scheduled-for"],
            test=test,
        )
    except KeyError as missing:
        raise ValueError(f"there is no header {missing}") from None

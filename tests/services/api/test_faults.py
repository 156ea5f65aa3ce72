"""Messages name the field, say what is wrong with it, and what to write instead."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.api.bodies import ABSENT, CUE, changed
from tests.services.api.conftest import Fixture


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("name", ABSENT, "is required"),
        ("name", 7, "must be a string"),
        ("name", "", "must have at least 1 characters"),
        ("name", "x" * 256, "must have at most 255 characters"),
        ("retry.max_attempts", "3", "must be a whole number, without quotes or a fraction"),
        ("retry.max_attempts", 1.5, "must be a whole number, without quotes or a fraction"),
        ("retry.max_attempts", 0, "must be at least 1"),
        ("retry.max_attempts", 11, "must be at most 10"),
        ("retry.backoff_minutes", [], "must have at least 1 items"),
        ("retry.backoff_minutes", "5", "must be a list"),
        ("on_failure.email", "true", "must be true or false, without quotes"),
        ("transport", "email", "must be one of 'webhook' or 'worker'"),
        ("payload", [], "must be an object"),
        ("schedule.at", "tomorrow", "use RFC 3339, such as 2026-03-28T09:00:00Z"),
        ("callback.transport", "worker", "transport is top-level"),
        ("nmae", "x", "is not a known field; did you mean name?"),
        ("zzz", 1, "is not a known field"),
    ],
)
async def test_what_is_wrong_is_said(api: Fixture, path: str, value: Any, message: str) -> None:
    response = await api.client.post("/v1/cues", json=changed(CUE, path, value))
    error = response.json()["error"]
    details = {detail["field"]: detail["message"] for detail in error["details"]}
    assert details[f"body.{path}"] == message
    assert error["hint"] == "Correct each field that details names."
    assert error["message"] == f"body.{path}: {message}"

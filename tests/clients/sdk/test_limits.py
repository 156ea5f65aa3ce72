"""Every outcome is made to fit what the server takes."""

from __future__ import annotations

from typing import Any

import pytest
from cueapi.limits import fitted
from hypothesis import given
from hypothesis import strategies as st

from services.api.routes.execution_models import OutcomeBody

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
LONG = st.builds(lambda text, times: text * times, st.text(min_size=1), st.integers(0, 9_000))


@given(
    st.fixed_dictionaries(
        {"success": st.booleans()},
        optional={
            "result": LONG | JSON,
            "error": LONG,
            "external_id": LONG,
            "result_ref": LONG,
            "result_type": LONG,
            "result_url": LONG | st.just("https://a.example"),
            "summary": LONG,
            "artifacts": st.lists(JSON),
            "metadata": st.dictionaries(st.text(), JSON),
        },
    )
)
def test_the_server_takes_what_fits(body: dict[str, Any]) -> None:
    OutcomeBody.model_validate(fitted(body))


@pytest.mark.parametrize(
    ("field", "value", "note"),
    [
        ("result", "x" * 8_001, {"cut": ["result"]}),
        ("external_id", "x" * 256, {"cut": ["external_id"]}),
        ("result_url", "ftp://a", {"dropped": ["result_url"]}),
        ("artifacts", list(range(101)), {"dropped": ["artifacts"]}),
        ("artifacts", ["x" * 70_000], {"dropped": ["artifacts"]}),
        ("metadata", {"x": "y" * 11_000}, {"dropped": ["metadata"]}),
    ],
)
def test_what_does_not_fit_is_noted(field: str, value: Any, note: dict[str, Any]) -> None:
    assert fitted({"success": True, field: value})["metadata"] == {"_cueapi_worker": note}


def test_what_fits_is_left_alone() -> None:
    body = {"success": False, "error": "e", "metadata": {"a": 1}, "artifacts": [{}]}
    assert fitted(body) == body

"""Where requests may go, as the operator says it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from libs.runtime.http.settings import EgressSettings
from libs.runtime.http.urls import InvalidURL, check_url

SECRET = "s" * 32


def settings(**given: object) -> EgressSettings:
    return EgressSettings(session_secret=SECRET, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["http://a.example/", "https://localhost/", "https://10.0.0.1/"])
def test_insecure_callbacks_are_allowed_on_demand(url: str) -> None:
    assert check_url(url, settings(allow_insecure_callbacks=True).egress()).text == url
    with pytest.raises(InvalidURL):
        check_url(url, settings().egress())


@pytest.mark.parametrize("base", ["http://localhost:8000", "http://localhost:8000/"])
@pytest.mark.parametrize("inside", ["", "http://api:8000", "http://api:8000/"])
def test_the_servers_own_echo_is_vouched_for(base: str, inside: str) -> None:
    policy = settings(base_url=base, internal_base_url=inside).egress()
    echo = check_url("http://localhost:8000/v1/echo/0123456789abcdef", policy)
    assert echo.trusted
    assert echo.authority == ("api:8000" if inside else "localhost:8000")
    with pytest.raises(InvalidURL):
        check_url("http://localhost:8000/v1/cues", policy)


def test_an_origin_that_cannot_be_read_is_told_at_the_start() -> None:
    with pytest.raises(ValidationError, match="trusted origin"):
        settings(base_url="localhost")


@pytest.mark.parametrize("allowed", [True, False])
def test_what_is_looser_than_the_default_is_logged(allowed: bool) -> None:
    with capture_logs() as logs:
        policy = settings(allow_insecure_callbacks=allowed).announced_egress()
    assert policy.allow_insecure == allowed
    assert [entry["log_level"] for entry in logs] == ["warning"] * allowed

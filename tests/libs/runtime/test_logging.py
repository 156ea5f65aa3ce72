from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from libs.runtime.logging import configure_logging

SECRETS = (
    "cue_sk_0123456789abcdef0123456789abcdef",
    "whsec_" + "f" * 64,
    "stk_abc.def-ghi_jkl",
)


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_is_one_json_document_with_service_level_and_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("scheduler", json=True)
    structlog.get_logger().info("fired", cue_id="cue_a1b2c3d4e5f6", late_ms=12)
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "fired",
        "level": "info",
        "service": "scheduler",
        "cue_id": "cue_a1b2c3d4e5f6",
        "late_ms": 12,
    }


def test_what_is_below_the_level_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("scheduler", json=True, level="warning")
    structlog.get_logger().info("fired")
    structlog.get_logger().warning("late")
    assert [line["event"] for line in lines(capsys)] == ["late"]


@pytest.mark.parametrize("json_lines", [True, False])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_told_wherever_it_stands(
    capsys: pytest.CaptureFixture[str], secret: str, json_lines: bool
) -> None:
    configure_logging("api", json=json_lines)
    log = structlog.get_logger()
    log.warning(f"refused {secret}")
    log.warning("refused", key=secret, header=f"Bearer {secret}")
    log.warning("refused", headers={"authorization": [f"Bearer {secret}"]}, body=secret.encode())
    log.warning("refused", error=ValueError(secret))
    try:
        raise ValueError(secret)
    except ValueError:
        log.exception("failed")
    logging.getLogger("library").warning("refused %s", secret)
    output = capsys.readouterr().out
    assert output.count("***") >= 7
    assert secret not in output
    assert secret.removeprefix("stk_").removeprefix("whsec_").removeprefix("cue_sk_") not in output


def test_no_password_in_a_url_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("provision", json=True)
    log = structlog.get_logger()
    log.error("no answer", url="nats://cueapi:hunter2@nats:4222")
    log.error("no answer at postgresql://cueapi:hunter2@db/cueapi", at="10:00@home")
    first, second = lines(capsys)
    assert first["url"] == "nats://cueapi:***@nats:4222"
    assert "hunter2" not in second["event"]
    assert second["at"] == "10:00@home"


def test_an_exception_is_told_with_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("scheduler", json=True)
    try:
        raise ZeroDivisionError("boom")
    except ZeroDivisionError:
        structlog.get_logger().exception("failed")
    (line,) = lines(capsys)
    assert "ZeroDivisionError: boom" in line["exception"]
    assert "test_logging.py" in line["exception"]


@pytest.mark.parametrize("json_lines", [True, False])
def test_what_libraries_log_comes_in_the_same_form(
    capsys: pytest.CaptureFixture[str], json_lines: bool
) -> None:
    configure_logging("scheduler", json=json_lines)
    library = logging.getLogger("some.library")
    library.info("chatter")
    library.warning("lost %s", "a connection")
    try:
        raise OSError("gone")
    except OSError:
        library.exception("worse")
    output = capsys.readouterr().out
    assert "chatter" not in output
    assert "lost a connection" in output
    assert "some.library" in output
    assert "OSError: gone" in output


def test_a_library_that_logs_wrongly_is_not_broken_by_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("scheduler", json=True)
    logging.getLogger("some.library").warning("two %s %s", "arguments")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "not enough arguments" in captured.err

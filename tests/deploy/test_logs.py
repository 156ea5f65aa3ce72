"""Log lines of every kind, for people and raw."""

import json

import pytest

from deploy.local.logs import LogLine, as_json, parse, readable

STRUCTURED = json.dumps(
    {
        "event": "attempt_succeeded",
        "level": "info",
        "timestamp": "2026-03-28T13:00:00.310000Z",
        "service": "dispatcher",
        "execution_id": "550e",
        "ms": 12,
    }
)


@pytest.mark.parametrize(
    ("process", "line", "expected"),
    [
        ("nats", "[7] [WRN] slow consumer", LogLine("nats", "slow consumer", "warning")),
        ("nats", "[7] [INF] Server is ready", LogLine("nats", "Server is ready")),
        ("postgres", "FATAL:  too many", LogLine("postgres", "too many", "error")),
        ("postgres", "LOG:  ready", LogLine("postgres", "ready")),
        (
            "api",
            "Traceback (most recent call last):",
            LogLine("api", "Traceback (most recent call last):"),
        ),
        ("api", "{not json", LogLine("api", "{not json")),
        (
            "dispatcher",
            STRUCTURED,
            LogLine(
                "dispatcher",
                "attempt_succeeded",
                time="2026-03-28T13:00:00.310000Z",
                fields={"execution_id": "550e", "ms": 12},
            ),
        ),
    ],
)
def test_each_form_is_understood(process: str, line: str, expected: LogLine) -> None:
    assert parse(process, line) == expected


def test_a_line_is_readable_without_colour() -> None:
    line = parse("dispatcher.2", STRUCTURED)
    assert readable(line, now="", color=False) == (
        "13:00:00.310 dispatcher.2 info     attempt_succeeded  execution_id=550e  ms=12"
    )


def test_a_missing_time_is_filled_in() -> None:
    line = parse("nats", "[7] [INF] Server is ready")
    assert readable(line, now="2026-03-28T13:00:01.5Z", color=False).startswith("13:00:01.5 ")


def test_colour_tells_services_and_levels_apart() -> None:
    red = readable(LogLine("api", "x", "error"), now="", color=True)
    assert "\x1b[31merror" in red
    assert "\x1b[36mapi" in red


def test_a_traceback_goes_below_its_line() -> None:
    line = LogLine("api", "failed", "error", fields={"exception": "Traceback\n  ValueError"})
    assert readable(line, now="", color=False).endswith("failed\n    Traceback\n      ValueError")


def test_raw_lines_are_always_json() -> None:
    assert as_json("dispatcher", STRUCTURED) == STRUCTURED
    assert json.loads(as_json("postgres", "ERROR:  no")) == {
        "event": "no",
        "level": "error",
        "service": "postgres",
    }

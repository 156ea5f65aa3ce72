"""The configuration file: as it is written, and what is said about what is wrong in it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from cueapi_worker.config import config_of, read_config
from cueapi_worker.durations import seconds
from cueapi_worker.errors import ConfigError
from cueapi_worker.handler import Handler

WHOLE = """\
api_key: cue_sk_1
api_base: https://api.example.com/v1/
worker_id: mini
email: me@example.com
poll_interval: 2
heartbeat_interval: 10s
max_concurrent: 8
handler_timeout: 60
lease_seconds: 30
drain: 1m
listen: 127.0.0.1:8799
metrics: true
handlers:
  sync: python sync.py
  report:
    cmd: [python, report.py, "{{ payload.day }}"]
    cwd: /srv
    timeout: 600
    concurrency: 1
    env:
      DAY: "{{ payload.day }}"
      LEVEL: 3
"""


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "worker.yaml"
    path.write_text(WHOLE)
    config = read_config(path)
    assert (config.api_key, config.api_base) == ("cue_sk_1", "https://api.example.com")
    assert (config.worker_id, config.email) == ("mini", "me@example.com")
    assert (config.poll_interval, config.heartbeat_interval) == (2.0, 10.0)
    assert (config.max_concurrent, config.lease_seconds, config.drain) == (8, 30, 60.0)
    assert (config.listen, config.metrics) == ("127.0.0.1:8799", True)
    assert config.handlers["sync"] == Handler("sync", "python sync.py", timeout=60.0)
    assert config.handlers["report"] == Handler(
        "report",
        ("python", "report.py", "{{ payload.day }}"),
        timeout=600.0,
        cwd="/srv",
        env={"DAY": "{{ payload.day }}", "LEVEL": "3"},
        concurrency=1,
    )


def test_defaults_are_those_of_the_published_worker() -> None:
    config = config_of({"handlers": {"sync": "true"}})
    assert (config.poll_interval, config.heartbeat_interval) == (5.0, 30.0)
    assert (config.max_concurrent, config.handler_timeout, config.drain) == (4, 300.0, 30.0)
    assert config.worker_id == socket.gethostname()


@pytest.mark.parametrize(
    ("document", "complaint", "hint"),
    [
        ([], "the file has to be a mapping", ""),
        ({}, "there are no handlers", "add"),
        ({"handlers": {}}, "there are no handlers", "add"),
        ({"handler": {}, "handlers": {"a": "b"}}, "handler is unknown", "handlers"),
        ({"handlers": {"a": {"comand": "x", "cmd": "y"}}}, "handlers.a.comand is unknown", "cmd"),
        ({"handlers": {"a": {"cwd": "/"}}}, "handlers.a.cmd is missing", "command"),
        ({"handlers": {"a": 5}}, "handlers.a.cmd: it has to be a command line", ""),
        ({"handlers": {"a": []}}, "handlers.a.cmd", ""),
        ({"handlers": {"a": "b"}, "max_concurrent": 0}, "max_concurrent: 0 is not within", ""),
        ({"handlers": {"a": "b"}, "max_concurrent": True}, "no whole number", ""),
        ({"handlers": {"a": "b"}, "drain": "soon"}, "drain: 'soon' is no span", ""),
        ({"handlers": {"a": "b"}, "poll_interval": 0}, "longer than nothing", ""),
        ({"handlers": {"a": "b"}, "api_base": "api.example"}, "api_base", ""),
        ({"handlers": {"a": "b"}, "listen": "8080"}, "listen", ""),
        ({"handlers": {"a": "b"}, "metrics": "yes"}, "neither true nor false", ""),
    ],
)
def test_what_is_wrong_is_said_with_its_place(document: Any, complaint: str, hint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        config_of(document)
    assert complaint in str(raised.value)
    assert hint in raised.value.hint


def test_a_missing_file_and_broken_yaml_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        read_config(tmp_path / "none.yaml")
    (tmp_path / "broken.yaml").write_text("handlers: [")
    with pytest.raises(ConfigError, match="is no YAML"):
        read_config(tmp_path / "broken.yaml")


@pytest.mark.parametrize(
    ("written", "read"), [(5, 5.0), ("5", 5.0), ("1.5h", 5400.0), ("200ms", 0.2), ("2 m", 120.0)]
)
def test_spans_are_read_as_people_write_them(written: object, read: float) -> None:
    assert seconds(written) == pytest.approx(read)

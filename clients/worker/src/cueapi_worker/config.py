"""The configuration file, read into a value (clients.md §3)."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from cueapi_worker.errors import ConfigError
from cueapi_worker.fields import Fields, command, environment, flag, span, text, whole
from cueapi_worker.handler import Handler

HOSTED: Final = "https://api.cueapi.ai"
_EXAMPLE: Final = "handlers:\n  sync_data: python sync.py"


@dataclass(frozen=True)
class Config:
    """All that the file says; spans are in seconds.

    `api_base` has no `/v1`. `lease_seconds` None leaves the lease to the server. `listen` is
    `host:port` for `/healthz`, and with `metrics` for `/metrics`.
    """

    handlers: Mapping[str, Handler]
    worker_id: str
    api_base: str | None = None
    api_key: str | None = None
    email: str | None = None
    poll_interval: float = 5.0
    heartbeat_interval: float = 30.0
    max_concurrent: int = 4
    handler_timeout: float = 300.0
    lease_seconds: int | None = None
    drain: float = 30.0
    listen: str | None = None
    metrics: bool = False
    state_dir: Path | None = None


def read_config(path: Path) -> Config:
    """Read a configuration file. Raises ConfigError."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist", "name the file with -c") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no YAML: {error}") from error
    return config_of(document)


def config_of(document: object) -> Config:
    """Read what a configuration file holds. Raises ConfigError."""
    fields = Fields("", document)
    timeout = fields.take("handler_timeout", span, 300.0)
    config = Config(
        handler_timeout=timeout,
        handlers=fields.take("handlers", lambda value: _handlers(value, timeout), {}),
        worker_id=fields.take("worker_id", text, socket.gethostname()),
        api_base=fields.take("api_base", _base, None),
        api_key=fields.take("api_key", text, None),
        email=fields.take("email", text, None),
        poll_interval=fields.take("poll_interval", span, 5.0),
        heartbeat_interval=fields.take("heartbeat_interval", span, 30.0),
        max_concurrent=fields.take("max_concurrent", whole(1, 1_000), 4),
        lease_seconds=fields.take("lease_seconds", whole(10, 3_600), None),
        drain=fields.take("drain", span, 30.0),
        listen=fields.take("listen", _address, None),
        metrics=fields.take("metrics", flag, False),
        state_dir=fields.take("state_dir", lambda value: Path(text(value)).expanduser(), None),
    )
    fields.finish()
    if not config.handlers:
        raise ConfigError("there are no handlers, so there is nothing to do", f"add\n{_EXAMPLE}")
    return config


def _handlers(value: Any, timeout: float) -> dict[str, Handler]:
    if not isinstance(value, Mapping):
        raise ValueError("it has to be a mapping of tasks to commands")
    return {str(task): _handler(str(task), each, timeout) for task, each in value.items()}


def _handler(task: str, value: Any, timeout: float) -> Handler:
    where = f"handlers.{task}"
    fields = Fields(where, value if isinstance(value, Mapping) else {"cmd": value})
    nothing: str | tuple[str, ...] = ""
    cmd = fields.take("cmd", command, nothing)
    handler = Handler(
        task=task,
        cmd=cmd,
        timeout=fields.take("timeout", span, timeout),
        cwd=fields.take("cwd", lambda each: str(Path(text(each)).expanduser()), None),
        env=fields.take("env", environment, {}),
        concurrency=fields.take("concurrency", whole(1, 1_000), None),
        unsafe_template=fields.take("unsafe_template", flag, False),
    )
    fields.finish()
    if not cmd:
        raise ConfigError(f"{where}.cmd is missing", "say which command does this task")
    return handler


def _base(value: Any) -> str:
    base = text(value).rstrip("/").removesuffix("/v1")
    if not base.startswith(("http://", "https://")):
        raise ValueError(f"{value!r} is no base URL: it looks like {HOSTED}")
    return base


def _address(value: Any) -> str:
    address = text(value)
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError(f"{value!r} is no address: it looks like 127.0.0.1:8799")
    return address

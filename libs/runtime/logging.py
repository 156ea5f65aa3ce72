"""Structured logs: one event a line, with ids and numbers, never payloads or secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from typing_extensions import override

_SECRETS = re.compile(r"(cue_sk_|whsec_|stk_|Bearer\s+)[A-Za-z0-9._-]+")


def configure_logging(service: str, *, json: bool, level: str = "info") -> None:
    """Send this process's logs to stdout, as JSON or for a terminal, each with `service`."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _named(service),
            structlog.processors.format_exc_info,
            mask_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Forward()], force=True)


def mask_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut keys and secrets out of every text, whoever put them there."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _SECRETS.sub(r"\1***", value)
    return event


def _named(service: str) -> Any:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    return add


class _Forward(logging.Handler):
    """Brings the records of libraries into the same stream."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info
        )

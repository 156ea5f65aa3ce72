"""Structured logs: one event a line, with ids and numbers, never payloads or secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from typing_extensions import override

_SECRETS = re.compile(
    r"(cue_sk_|whsec_|stk_|Bearer\s+)[A-Za-z0-9._-]+"
    r"|(://[^/:@\s]*:)[^/@\s]+(?=@)"  # the password in a URL
)


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
            renderer,
            mask_secrets,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Forward()], force=True)


def mask_secrets(_: Any, __: str, line: Any) -> str:
    """Cut keys, secrets and passwords out of a finished line, whoever put them there, and where."""
    return _SECRETS.sub(r"\1\2***", str(line))


def _named(service: str) -> Any:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    return add


class _Forward(logging.Handler):
    """Brings the records of libraries into the same stream."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception:
            self.handleError(record)
            return
        structlog.get_logger().log(
            record.levelno, message, logger=record.name, exc_info=record.exc_info
        )

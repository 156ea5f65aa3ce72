"""Log lines of all processes, made readable: pure functions."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_RESET, _DIM, _BOLD = "\x1b[0m", "\x1b[2m", "\x1b[1m"
_LEVEL_COLORS = {"warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[1;31m"}
_SERVICE_COLORS = {
    "api": "\x1b[36m",
    "scheduler": "\x1b[35m",
    "dispatcher": "\x1b[34m",
    "outcomes": "\x1b[32m",
    "alerts": "\x1b[33m",
    "receiver": "\x1b[96m",
}

_NATS = re.compile(r"\[\d+\] \[(?P<level>[A-Z]{3})\] ?(?P<event>.*)")
_POSTGRES = re.compile(r"(?P<level>[A-Z]+):  (?P<event>.*)")
_LEVELS = {
    "DBG": "debug",
    "WRN": "warning",
    "ERR": "error",
    "FTL": "critical",
    "WARNING": "warning",
    "ERROR": "error",
    "FATAL": "error",
    "PANIC": "critical",
}


@dataclass(frozen=True)
class LogLine:
    """One line of one process. `time` is as the process wrote it, empty if it did not."""

    process: str
    event: str
    level: str = "info"
    time: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)


def parse(process: str, line: str) -> LogLine:
    """Read a line in whatever form its process writes: JSON, NATS's, Postgres's, plain."""
    if line.startswith("{"):
        try:
            return _structured(process, json.loads(line))
        except ValueError:
            return LogLine(process, line)
    match process:
        case "nats":
            found = _NATS.match(line)
        case "postgres":
            found = _POSTGRES.match(line)
        case _:
            found = None
    if found is None:
        return LogLine(process, line)
    return LogLine(process, found["event"], _LEVELS.get(found["level"], "info"))


def _structured(process: str, content: dict[str, object]) -> LogLine:
    known = {name: str(content.pop(name, "")) for name in ("event", "level", "timestamp")}
    content.pop("service", None)
    return LogLine(process, known["event"], known["level"] or "info", known["timestamp"], content)


def readable(line: LogLine, *, now: str, color: bool) -> str:
    """Return the line for a person, e.g. `13:00:00.310 dispatcher   info     fired  cue_id=…`.

    `now` stands in for a missing time; a traceback goes below, indented.
    """
    fields = dict(line.fields)
    traceback = str(fields.pop("exception", "")).rstrip()
    words = "  ".join(f"{name}={_short(value)}" for name, value in fields.items())
    clock = (line.time or now)[11:23].rstrip("Z")
    base_name = line.process.split(".")[0]
    text = " ".join(
        [
            _painted(f"{clock:<12}", _DIM, color),
            _painted(f"{line.process:<12}", _SERVICE_COLORS.get(base_name, _DIM), color),
            _painted(f"{line.level:<8}", _LEVEL_COLORS.get(line.level, _DIM), color),
            _painted(line.event, _BOLD, color),
        ]
    )
    if words:
        text += "  " + _painted(words, _DIM, color)
    if traceback:
        text += "\n    " + traceback.replace("\n", "\n    ")
    return text


def as_json(process: str, line: str) -> str:
    """Return the line as it is if it is a JSON object, else as one made of it."""
    if line.startswith("{"):
        return line
    parsed = parse(process, line)
    return json.dumps({"event": parsed.event, "level": parsed.level, "service": process})


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _painted(text: str, code: str, color: bool) -> str:
    return f"{code}{text}{_RESET}" if color else text

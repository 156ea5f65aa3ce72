"""The file of `apply`: read, with variables filled in, and in the API's form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from cueapi_cli.failures import USAGE, Failure
from cueapi_cli.inputs import text_of
from cueapi_cli.plan import FIELDS

_VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<braced>\w+)\}|(?P<plain>[A-Za-z_]\w*))")


def declared(source: str, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """Read the cues of a file (`-`: standard input). Raises Failure."""
    import yaml

    try:
        document = yaml.safe_load(text_of(source if source == "-" else f"@{source}"))
    except yaml.YAMLError as error:
        raise Failure(f"{source} is not YAML: {error}", code=USAGE) from error
    listed = document.get("cues") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise Failure(f"{source}: a list named cues is expected", code=USAGE)
    cues = [_cue(each, number, environment) for number, each in enumerate(listed, start=1)]
    names = [cue["name"] for cue in cues]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Failure(f"{source}: named more than once: {', '.join(twice)}", code=USAGE)
    return cues


def _cue(sent: Any, number: int, environment: Mapping[str, str]) -> dict[str, Any]:
    if not isinstance(sent, dict) or not isinstance(sent.get("name"), str):
        raise Failure(f"cue {number}: an object with a name is expected", code=USAGE)
    cue: dict[str, Any] = _filled(sent, environment)
    where = f"cue {cue['name']}"
    if unknown := sorted(cue.keys() - {"name", "cron", "at", "timezone", "worker", *FIELDS}):
        raise Failure(f"{where}: not known: {', '.join(unknown)}", code=USAGE)
    return _normal(cue, where)


def _normal(cue: dict[str, Any], where: str) -> dict[str, Any]:
    short = {name: cue.pop(name) for name in ("cron", "at", "timezone") if name in cue}
    if short:
        cue["schedule"] = {**cue.get("schedule", {}), **short}
    schedule = cue.get("schedule")
    if not isinstance(schedule, dict) or ("cron" in schedule) == ("at" in schedule):
        raise Failure(f"{where}: either cron or at is needed", code=USAGE)
    cue["schedule"] = {"type": "recurring" if "cron" in schedule else "once", **schedule}
    if isinstance(cue.get("callback"), str):
        cue["callback"] = {"url": cue["callback"]}
    if isinstance(cue.get("verification"), str):
        cue["verification"] = {"mode": cue["verification"]}
    if cue.pop("worker", False):
        cue["transport"] = "worker"
    return cue


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _variable(found, environment), value)
    if isinstance(value, date):  # YAML reads what looks like one
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _filled(each, environment) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, environment) for each in value]
    return value


def _variable(found: re.Match[str], environment: Mapping[str, str]) -> str:
    if found["escaped"]:
        return "$"
    name = found["braced"] or found["plain"]
    if name not in environment:
        raise Failure(f"${name} is not set", "Set it, or write $$ for a dollar sign.", USAGE)
    return environment[name]

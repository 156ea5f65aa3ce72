"""Golden files: what each version of each event looks like in the log, and what it reads as.

`golden/<EventType>.v<N>.json` holds two events of version N: `full`, with every field given, and
`bare`, with every field left out that may be. `data` is as it lies in logs for ever; `reads` is,
for each version of the reader, every field of the value that it made of it. Nothing that stands in
a file may change: `python -m tests.libs.events.golden_files` only adds what is missing, a file for
a new type or version, and a new reader's entry to the files of older versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from libs.events.base import Event
from libs.events.envelope import UPCASTERS, Upcaster, decode, decode_event, encode, schema_version
from libs.events.examples import example
from libs.events.streams import EVENT_TYPES

FOLDER = Path(__file__).parent / "golden"


class Case(msgspec.Struct):
    """One event as it was written, and what each version of the reader made of it."""

    data: dict[str, Any]
    reads: dict[str, dict[str, Any]]


class Golden(msgspec.Struct):
    """One version of one event type."""

    type: str
    version: int
    full: Case
    bare: Case

    @property
    def file_name(self) -> str:
        return f"{self.type}.v{self.version}.json"

    def read(
        self, case: Case, upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS
    ) -> dict[str, Any]:
        """Every field of what today's reader makes of it."""
        value = decode_event(self.type, self.version, case.data, upcasters)
        return {name: spelled_out(getattr(value, name)) for name in value.__struct_fields__}


def golden_files(folder: Path = FOLDER) -> list[Golden]:
    """Read all, sorted by name."""
    return [decode(path.read_bytes(), Golden) for path in sorted(folder.glob("*.json"))]


def add_missing(folder: Path = FOLDER) -> list[str]:
    """Add what is missing, from today's examples, and give the names of the files that changed."""
    there = {golden.file_name: golden for golden in golden_files(folder)}
    for kind in EVENT_TYPES.values():
        fresh = _golden(example(kind))
        there.setdefault(fresh.file_name, fresh)
    return [golden.file_name for golden in there.values() if _add_reader(golden, folder)]


def spelled_out(value: Any) -> Any:
    """Give a value as JSON has it, with the fields which its encoding leaves out."""
    if isinstance(value, msgspec.Struct):
        return {name: spelled_out(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [spelled_out(part) for part in value]
    return msgspec.to_builtins(value)


def bare(value: Any) -> Any:
    """Give a value as JSON has it, with only the fields that must be there."""
    if not isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    required = [field.name for field in msgspec.structs.fields(value) if field.required]
    return {name: bare(getattr(value, name)) for name in required}


def _golden(event: Event) -> Golden:
    name = type(event).__name__
    full = decode(encode(event), dict)
    return Golden(name, schema_version(name), Case(full, {}), Case(bare(event), {}))


def _add_reader(golden: Golden, folder: Path) -> bool:
    reader = str(schema_version(golden.type))
    missing = [case for case in (golden.full, golden.bare) if reader not in case.reads]
    for case in missing:
        case.reads[reader] = golden.read(case)
    if missing:
        text = msgspec.json.format(encode(golden), indent=1)
        (folder / golden.file_name).write_bytes(text + b"\n")
    return bool(missing)


if __name__ == "__main__":
    print(*add_missing(), sep="\n")

"""Every message has an example, and every version of an event reads the same for ever."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from libs.events.base import Command, Event
from libs.events.cues import (
    CueResumed,
)
from libs.events.envelope import (
    CommandEnvelope,
    Meta,
    Undecodable,
    Upcaster,
    decode,
    decode_command,
    decode_event,
    encode,
    schema_version,
)
from libs.events.examples import EXAMPLES, example
from libs.events.streams import EVENT_TYPES
from libs.events.subjects import COMMAND_TYPES
from tests.libs.events.golden_files import (
    FOLDER,
    Case,
    Golden,
    add_missing,
    golden_files,
    spelled_out,
)

META = Meta(correlation_id="r-1", actor="key")


def restricted(found: Any, model: Any) -> Any:
    """`found` with only the fields that `model` has, for a reader may have learnt new ones."""
    if isinstance(found, dict) and isinstance(model, dict):
        return {name: restricted(found[name], model[name]) for name in model if name in found}
    return found


def cases() -> list[Any]:
    return [
        pytest.param(golden, case, id=f"{golden.file_name}-{name}")
        for golden in golden_files()
        for name, case in (("full", golden.full), ("bare", golden.bare))
    ]


def test_every_message_has_an_example() -> None:
    known = {*EVENT_TYPES.values(), *COMMAND_TYPES.values()}
    assert known == EXAMPLES.keys(), "give new messages an example in libs/events/examples.py"


@pytest.mark.parametrize("kind", EXAMPLES, ids=lambda kind: kind.__name__)
def test_an_example_gives_every_field(kind: type[Event | Command]) -> None:
    left_out = {f.name for f in msgspec.structs.fields(kind) if not f.required}
    given = msgspec.to_builtins(example(kind)).keys()
    assert left_out - given <= {"blocked"}, (
        "a blocked execution is one that nothing else happens to"
    )


@pytest.mark.parametrize("kind", EVENT_TYPES.values(), ids=lambda kind: kind.__name__)
def test_an_event_survives_the_log(kind: type[Event]) -> None:
    event = example(kind)
    assert decode_event(kind.__name__, schema_version(kind.__name__), encode(event)) == event


@pytest.mark.parametrize("kind", COMMAND_TYPES.values(), ids=lambda kind: kind.__name__)
def test_a_command_survives_its_envelope(kind: type[Command]) -> None:
    command = example(kind)
    envelope = CommandEnvelope(
        id="c-1", type=kind.__name__, command=msgspec.Raw(encode(command)), meta=META
    )
    assert decode_command(decode(encode(envelope), CommandEnvelope), COMMAND_TYPES) == command


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_version_ever_written_has_a_golden_file(name: str) -> None:
    written = {golden.version for golden in golden_files() if golden.type == name}
    assert written == set(range(1, schema_version(name) + 1)), (
        "run `python -m tests.libs.events.golden_files` and commit what it adds"
    )


@pytest.mark.parametrize(("golden", "case"), cases())
def test_a_golden_event_reads_as_it_always_did(golden: Golden, case: Case) -> None:
    expected = case.reads[str(schema_version(golden.type))]
    assert restricted(golden.read(case), expected) == expected


def test_no_golden_file_is_of_an_unknown_type() -> None:
    assert {golden.type for golden in golden_files()} <= EVENT_TYPES.keys()


def test_adding_golden_files_changes_none_that_is_there(tmp_path: Path) -> None:
    first = add_missing(tmp_path)
    assert len(first) == len(EVENT_TYPES)
    path = tmp_path / "CueResumed.v1.json"
    before = path.read_text().replace("2026-03-02T09", "1999-01-01T00")
    path.write_text(before)
    (tmp_path / "CuePaused.v1.json").unlink()
    assert add_missing(tmp_path) == ["CuePaused.v1.json"]
    assert path.read_text() == before


def test_the_golden_folder_lacks_nothing(tmp_path: Path) -> None:
    names = set(add_missing(tmp_path))
    assert names <= {path.name for path in FOLDER.iterdir()}


def test_upcasters_chain_from_any_version_to_todays() -> None:
    upcasters: Mapping[tuple[str, int], Upcaster] = {
        ("CueResumed", 1): lambda d: {"at": d["at"], "next": d["next_at"]},
        ("CueResumed", 2): lambda d: {"at": d["at"], "next_run": d["next"]},
    }
    today = example(CueResumed)
    at, next_run = encode(today.at), encode(today.next_run)
    first = b'{"at":' + at + b',"next_at":' + next_run + b"}"
    second = b'{"at":' + at + b',"next":' + next_run + b"}"
    assert decode_event("CueResumed", 1, first, upcasters) == today
    assert decode_event("CueResumed", 2, second, upcasters) == today
    assert decode_event("CueResumed", 3, encode(today), upcasters) == today


def test_an_upcaster_is_not_asked_for_other_types() -> None:
    upcasters: Mapping[tuple[str, int], Upcaster] = {("CueDeleted", 1): lambda _: {}}
    today = example(CueResumed)
    assert decode_event("CueResumed", 1, encode(today), upcasters) == today


@pytest.mark.parametrize(
    ("event_type", "version", "data"),
    [
        ("CueForgotten", 1, b"{}"),
        ("CueResumed", 2, encode(example(CueResumed))),
        ("CueResumed", 0, encode(example(CueResumed))),
        ("CueResumed", 1, b'{"at": "yesterday"}'),
        ("CueResumed", 1, b"{"),
        ("CueResumed", 1, b"\xff"),
        ("CueResumed", 1, b"[]"),
    ],
    ids=["unknown type", "newer", "older than any", "not a time", "cut off", "not UTF-8", "a list"],
)
def test_what_this_release_does_not_know_is_refused(
    event_type: str, version: int, data: bytes
) -> None:
    with pytest.raises(Undecodable):
        decode_event(event_type, version, data)


def test_a_command_of_an_unknown_name_is_refused() -> None:
    envelope = CommandEnvelope(id="c-1", type="Rm", command=msgspec.Raw(b"{}"), meta=META)
    with pytest.raises(Undecodable, match="Rm"):
        decode_command(envelope, COMMAND_TYPES)


def test_spelling_out_names_what_an_encoding_leaves_out() -> None:
    spelled = spelled_out(Meta(correlation_id="r-1", actor="key"))
    assert spelled == {
        "correlation_id": "r-1",
        "actor": "key",
        "causation_id": None,
        "traceparent": None,
    }

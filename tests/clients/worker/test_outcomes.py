"""What is reported of a command: its exit, its output, its outcome file (clients.md §3)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cueapi_worker.outcome_file import LARGEST, OutcomeFile, outcome_in, read_outcome_file
from cueapi_worker.outcomes import outcome_of
from cueapi_worker.process import End, Exited, NotStarted, TimedOut

NOTHING = OutcomeFile()
EVIDENCE = {"external_id": "t-1", "metadata": {"n": 1}}


def exited(code: int = 0, stdout: str = "", stderr: str = "") -> Exited:
    return Exited(code, stdout, stderr)


@pytest.mark.parametrize(
    ("end", "fields", "reported"),
    [
        (exited(), {}, {"success": True, "result": "completed"}),
        (exited(stdout="done\n"), {}, {"success": True, "result": "done"}),
        (
            exited(stdout="done\n", stderr="careful\n"),
            {},
            {"success": True, "result": "done\n--- stderr ---\ncareful"},
        ),
        (
            exited(stdout="noise"),
            {"result": "told", **EVIDENCE},
            {"success": True, "result": "told", **EVIDENCE},
        ),
        (exited(), {"success": True}, {"success": True, "result": "completed"}),
        (
            exited(stdout="no luck"),
            {"success": False, **EVIDENCE},
            {"success": False, "error": "no luck", **EVIDENCE},
        ),
        (exited(), {"success": False, "error": "told"}, {"success": False, "error": "told"}),
        (exited(3), {}, {"success": False, "error": "handler failed"}),
        (
            exited(1, stderr="boom"),
            {"success": True, "result": "fine", **EVIDENCE},
            {"success": False, "error": "\n--- stderr ---\nboom", **EVIDENCE},
        ),
        (
            TimedOut(2.0),
            EVIDENCE,
            {"success": False, "error": "Handler timeout exceeded (2s)"},
        ),
        (
            NotStarted("no such file"),
            {},
            {"success": False, "error": "Handler could not be started: no such file"},
        ),
    ],
)
def test_an_end_is_reported_by_the_table(
    end: End, fields: dict[str, Any], reported: dict[str, Any]
) -> None:
    assert outcome_of(end, OutcomeFile(fields)).body() == reported


def test_output_is_cut_at_4096_characters() -> None:
    assert outcome_of(exited(stdout="é" * 5_000), NOTHING).result == "é" * 4_096


def test_complaints_about_the_file_go_into_the_metadata() -> None:
    file = OutcomeFile({"metadata": {"n": 1}}, dropped=("colour",))
    assert outcome_of(exited(), file).metadata == {
        "n": 1,
        "_cueapi_worker": {"outcome_file_dropped_fields": ["colour"]},
    }
    broken = OutcomeFile(parse_error="not JSON")
    assert outcome_of(exited(), broken).metadata == {
        "_cueapi_worker": {"outcome_file_parse_error": "not JSON"}
    }


def test_good_fields_are_kept_and_bad_ones_dropped_one_by_one() -> None:
    good = {
        "success": False,
        "result": "r",
        "external_id": "e",
        "result_ref": "f",
        "result_url": "https://a.example/1",
        "result_type": "t",
        "summary": "s",
        "artifacts": [{"name": "a"}],
        "metadata": {"k": "v"},
    }
    bad = {"error": 5, "colour": "blue"}
    file = outcome_in(json.dumps({**good, **bad}).encode())
    assert (file.fields, file.dropped) == (good, ("error", "colour"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("success", "true"),
        ("result", None),
        ("summary", "a\0b"),
        ("summary", "\ud800"),
        ("result_url", "ftp://a.example"),
        ("result_url", "https://a.example/" + "x" * 2_000),
        ("result_url", "http://[bad"),
        ("artifacts", {"a": 1}),
        ("artifacts", ["a"]),
        ("metadata", []),
    ],
)
def test_a_bad_value_is_dropped(name: str, value: Any) -> None:
    assert outcome_in(json.dumps({name: value}).encode()) == OutcomeFile(dropped=(name,))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"a": NaN}', "NaN"),
        (b"[]", "not a JSON object"),
    ],
)
def test_a_file_that_can_not_be_read_says_why(content: bytes, complaint: str) -> None:
    assert complaint in (outcome_in(content).parse_error or "")


def test_files_are_read_up_to_their_bound(tmp_path: Path) -> None:
    path = tmp_path / "outcome.json"
    assert read_outcome_file(path) == NOTHING
    path.write_bytes(b"")
    assert read_outcome_file(path) == NOTHING
    path.write_text(json.dumps({"summary": "x" * (LARGEST - 15)}))
    assert path.stat().st_size == LARGEST
    assert "summary" in read_outcome_file(path).fields
    path.write_bytes(path.read_bytes() + b" ")
    assert read_outcome_file(path).parse_error == f"larger than {LARGEST} bytes"

"""Outcomes in webhooks' answers (contract §6): hostile JSON is a plain ACK or loses its fault."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.dispatcher.rules.report import AnsweredOutcome, outcome_in


def read(body: bytes) -> AnsweredOutcome | None:
    return outcome_in(body, complete=True)


def answer(**fields: Any) -> bytes:
    return json.dumps({"success": True, **fields}).encode()


def details(**fields: Any) -> dict[str, Any]:
    outcome = read(answer(**fields))
    assert outcome is not None
    assert outcome.success is True
    return outcome.details


@pytest.mark.parametrize("success", [True, False])
def test_a_boolean_success_in_an_object_is_an_outcome(success: bool) -> None:
    found = read(json.dumps({"success": success}).encode())
    assert found == AnsweredOutcome(success=success, details={})


def test_all_that_an_outcome_may_say_is_taken() -> None:
    said = {
        "result": "Briefing sent to 3 users",
        "error": "none",
        "external_id": "msg-1",
        "result_url": "https://agent.example/runs/1?x=ü",
        "result_ref": "runs/1",
        "result_type": "briefing",
        "summary": "three users",
        "artifacts": [{"name": "a.pdf"}, "b", 1, None],
        "metadata": {"cost": 0.25, "nested": {"deep": [True]}},
    }
    assert details(**said, unknown=[1], status="done") == said


def test_evidence_is_named() -> None:
    outcome = read(answer(external_id="a", result_url="http://a.example", artifacts=[0]))
    assert outcome is not None
    assert outcome.evidence == ("external_id", "result_url", "artifacts")
    empty = read(answer(external_id="", result_url="", artifacts=[], result="x"))
    assert empty is not None
    assert empty.evidence == ()
    assert empty.details == {"result": "x"}


PLAIN = {
    "empty": b"",
    "text": b"OK",
    "html": b"<html>success</html>",
    "null": b"null",
    "list": b'[{"success": true}]',
    "string": b'"success"',
    "number": b"1",
    "no success": b'{"ok": true}',
    "empty object": b"{}",
    "success as text": b'{"success": "true"}',
    "success as number": b'{"success": 1}',
    "success as float": b'{"success": 1.0}',
    "success as null": b'{"success": null}',
    "success as object": b'{"success": {"success": true}}',
    "success deeper": b'{"data": {"success": true}}',
    "another case": b'{"Success": true}',
    "single quotes": b"{'success': true}",
    "python": b'{"success": True}',
    "unquoted": b"{success: true}",
    "trailing comma": b'{"success": true,}',
    "trailing text": b'{"success": true} ok',
    "two documents": b'{"success": true}{"success": true}',
    "cut off": b'{"success": true, "result": "a',
    "comment": b'{"success": true /* yes */}',
    "byte order mark": b'\xef\xbb\xbf{"success": true}',
    "utf-16": '{"success": true}'.encode("utf-16"),
    "utf-32": '{"success": true}'.encode("utf-32"),
    "latin-1": b'{"success": true, "result": "caf\xe9"}',
    "overlong utf-8": b'{"success": true, "result": "\xc0\x80"}',
    "raw surrogate": b'{"success": true, "result": "\xed\xa0\x80"}',
    "raw NUL": b'{"success": true, "result": "a\x00b"}',
    "raw newline": b'{"success": true, "result": "a\nb"}',
    "NUL behind": b'{"success": true}\x00',
    "NaN": b'{"success": true, "metadata": {"x": NaN}}',
    "Infinity": b'{"success": true, "x": -Infinity}',
    "leading zero": b'{"success": true, "x": 01}',
    "bad escape": b'{"success": true, "x": "\\x41"}',
    "too deep to read": b'{"success": true, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "only opening": b'{"success":' * 20_000,
}


@pytest.mark.parametrize("name", PLAIN)
def test_anything_else_is_a_plain_ack(name: str) -> None:
    assert read(PLAIN[name]) is None


def test_a_body_that_did_not_come_whole_is_a_plain_ack() -> None:
    assert outcome_in(b'{"success": true}', complete=False) is None


def test_of_two_equal_keys_the_last_counts() -> None:
    found = read(b'{"success": true, "success": false, "result": "a", "result": "b"}')
    assert found == AnsweredOutcome(success=False, details={"result": "b"})
    assert read(b'{"success": true, "success": "no"}') is None


def test_an_escaped_key_is_the_same_key() -> None:
    assert read(b'{"s\\u0075ccess": true}') == AnsweredOutcome(success=True, details={})


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("result", 8_000),
        ("error", 8_000),
        ("external_id", 255),
        ("result_ref", 500),
        ("result_type", 50),
        ("summary", 500),
    ],
)
@pytest.mark.parametrize("letter", ["a", "ü", "😀"])
def test_an_over_long_text_is_cut(name: str, limit: int, letter: str) -> None:
    assert details(**{name: letter * limit}) == {name: letter * limit}
    assert details(**{name: letter * (limit + 1)}) == {name: letter * limit}


@pytest.mark.parametrize(
    "name", ["result", "error", "external_id", "result_ref", "result_type", "summary"]
)
@pytest.mark.parametrize(
    "value", [None, True, 1, 1.5, ["a"], {"a": "b"}, "", "a\0b", "\ud800", chr(0xDFFF)]
)
def test_a_text_that_is_none_is_dropped(name: str, value: Any) -> None:
    assert details(**{name: value}) == {}


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example",
        "javascript:alert(1)",
        "//a.example/x",
        "a.example",
        "https://",
        "https:///x",
        "http://[::1",
        "ht\ntp://a.example",
        "https://a.example/a b",
        "https://a.example/\n",
        "https://a.example/\0",
        "https://a.example/\ud800",
        "https://a.example/" + "x" * 2_031,
        " https://a.example",
        ["https://a.example"],
        1,
        None,
    ],
)
def test_what_is_not_a_web_address_is_dropped(url: Any) -> None:
    assert details(result_url=url, result="kept") == {"result": "kept"}


def test_the_longest_web_address_is_taken_whole() -> None:
    url = "https://a.example/" + "x" * 2_030
    assert details(result_url=url) == {"result_url": url}


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


BIG = "x" * 65_532

MALFORMED: dict[str, dict[str, Any]] = {
    "artifacts as object": {"artifacts": {"a": 1}},
    "artifacts as text": {"artifacts": "a"},
    "too many artifacts": {"artifacts": [1] * 101},
    "too large artifacts": {"artifacts": [BIG + "x"]},
    "too large when written in utf-8": {"artifacts": ["ü" * 40_000]},
    "NUL in an artifact": {"artifacts": [{"a": "\0"}]},
    "NUL in a key": {"artifacts": [{"\0": 1}]},
    "surrogate in an artifact": {"artifacts": ["\udcff"]},
    "artifacts too deep": {"artifacts": nested(100)},
    "metadata as list": {"metadata": [1]},
    "metadata as text": {"metadata": "{}"},
    "too large metadata": {"metadata": {"a": "x" * 10_240}},
    "NUL in metadata": {"metadata": {"a": {"b": ["\0"]}}},
    "surrogate in a key": {"metadata": {"\ud800": 1}},
    "metadata too deep": {"metadata": {"a": nested(99)}},
    "a number of 301 digits": {"metadata": {"a": 10**300}},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_field_is_dropped_alone(name: str) -> None:
    assert details(**MALFORMED[name], result="kept") == {"result": "kept"}


def test_a_number_beyond_double_range_is_dropped_with_its_field() -> None:
    outcome = read(b'{"success": true, "metadata": {"x": 1e999}, "result": "kept", "y": -1e999}')
    assert outcome == AnsweredOutcome(success=True, details={"result": "kept"})


WELL_FORMED: dict[str, dict[str, Any]] = {
    "a hundred artifacts": {"artifacts": list(range(100))},
    "artifacts of 64 KB": {"artifacts": [BIG]},
    "artifacts of 99 levels": {"artifacts": nested(99)},
    "metadata of 99 levels": {"metadata": {"a": nested(98)}},
    "metadata of 10 KB": {"metadata": {"a": "x" * 10_232}},
    "a number of 300 digits": {"metadata": {"a": 10**299, "b": -(10**298)}},
    "a backslash before u0000": {"metadata": {"a": "\\u0000"}},
    "a backslash in a text": {"result": "\\ud800 \\u0000"},
    "a pair of surrogates": {"result": "😀", "metadata": {"😀": ["😀"]}},
    "a newline in a text": {"result": "a\nb\tc\x7f"},
}


@pytest.mark.parametrize("name", WELL_FORMED)
def test_what_only_looks_malformed_is_taken(name: str) -> None:
    assert details(**WELL_FORMED[name]) == WELL_FORMED[name]


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**310), 10**310)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=8)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=10,
)
NAMES = [
    "success",
    "result",
    "error",
    "external_id",
    "result_url",
    "result_ref",
    "result_type",
    "summary",
    "artifacts",
    "metadata",
]


@hypothesis_settings(max_examples=60, deadline=None)
@for_all(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), values, max_size=8))
def test_any_object_is_read_and_what_is_kept_can_be_stored(said: dict[str, Any]) -> None:
    outcome = read(json.dumps(said).encode())
    if not isinstance(said.get("success"), bool):
        assert outcome is None
        return
    assert outcome is not None
    assert outcome.success is said["success"]
    assert outcome.details.items() <= said.items()
    assert all(outcome.details.values())
    assert msgspec.json.decode(msgspec.json.encode(outcome.details)) == outcome.details


@hypothesis_settings(deadline=None)
@for_all(st.binary(max_size=60) | st.binary(max_size=40).map(lambda b: b'{"success":true,' + b))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    outcome = read(body)
    assert outcome is None or isinstance(json.loads(body), dict)

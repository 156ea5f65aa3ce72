"""The pure rules, where the endpoints' tests do not reach every corner."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.accounts import PLANS
from libs.events.evidence import evidence_in
from services.api.rules.addresses import InvalidEmail, normalised_email
from services.api.rules.json_text import FaultyText, InvalidJson, compact, faulty_paths, parse
from services.api.rules.limits import usage_warning
from services.api.rules.outcomes import document_of, summary_with_rejection
from services.api.rules.payloads import payload_of
from services.api.rules.timestamps import (
    InvalidTimestamp,
    parse_instant,
    parse_timestamp,
    wire_time,
    zoned_time,
)
from services.api.rules.usage import month_of, projected
from services.api.rules.versions import etag, expected_version
from tests.services.api.bodies import nested

whole = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | whole,
    lambda inner: st.lists(inner) | st.dictionaries(whole, inner),
)


@given(values)
def test_what_is_compact_reads_the_same(value: Any) -> None:
    assert parse(compact(value)) == value
    assert list(faulty_paths(value)) == []


@given(values)
def test_compact_is_what_python_dumps_without_blanks(value: Any) -> None:
    expected = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    assert compact(value).decode() == expected


@pytest.mark.parametrize("levels", [100, 101, 2_000])
def test_nesting_ends_at_a_hundred(levels: int) -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        inner = b"[]" if opening == b"[" else b"{}"
        raw = opening * (levels - 1) + inner + closing * (levels - 1)
        if levels <= 100:
            parse(raw)
        else:
            with pytest.raises(InvalidJson):
                parse(raw)


def test_many_shallow_objects_are_not_deep() -> None:
    assert parse(compact([{"a": [1]}] * 1_000)) == [{"a": [1]}] * 1_000


@pytest.mark.parametrize("faulty", ["\0", "\ud800", "a\udfffb", "\ude00\ud83d"])
def test_faulty_text_is_found(faulty: str) -> None:
    document = {"a": [{"b": faulty}], "c": {faulty: 1}, "free": {"d": faulty}}
    assert sorted(faulty_paths(document, frozenset({"free"}))) == [".a.0.b", ".c"]
    with pytest.raises(FaultyText):
        compact(document)


def test_a_payload_is_known_by_its_bytes() -> None:
    first, again = payload_of({"a": 1, "task": "t"}), payload_of({"a": 1, "task": "t"})
    assert first == again
    assert first.blob is not None
    assert first.reference.sha256 == first.blob.sha256
    assert payload_of({}).blob is None
    assert payload_of({"deep": nested(99)}).blob is not None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-28T09:00:00Z", datetime(2026, 3, 28, 9, tzinfo=UTC)),
        ("2026-03-28t09:00:00z", datetime(2026, 3, 28, 9, tzinfo=UTC)),
        ("2026-03-28 09:00:00+01:00", datetime(2026, 3, 28, 8, tzinfo=UTC)),
        ("2026-03-28T09:00Z", datetime(2026, 3, 28, 9, tzinfo=UTC)),
        ("2026-03-28T09:00:00.5Z", datetime(2026, 3, 28, 9, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-03-28T09:00:00.123456789Z", datetime(2026, 3, 28, 9, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-03-28T09:00:00", datetime.fromisoformat("2026-03-28T09:00:00")),
    ],
)
def test_timestamps_in(text: str, moment: datetime) -> None:
    assert parse_timestamp(text) == moment
    assert parse_instant(text) == moment.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-03-28",
        "1767225600",
        "2026-02-29T00:00:00Z",
        "2026-03-28T25:00:00Z",
        "2026-03-28T09:00:00+99:00",
        "2026-03-28T09:00:00Z ",
        "2026-03-28T09:00:00.Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "\uff12026-03-28T09:00:00Z",
    ],
)
def test_what_is_no_timestamp(text: str) -> None:
    with pytest.raises(InvalidTimestamp):
        parse_timestamp(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_timestamps_out_read_the_same(moment: datetime) -> None:
    text = wire_time(moment)
    assert text.endswith("Z")
    assert parse_timestamp(text) == moment
    assert len(text) in (20, 27)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "2026-07-01T12:00:00Z"),
        ("Etc/UTC", "2026-07-01T12:00:00Z"),
        ("Europe/London", "2026-07-01T13:00:00+01:00"),
        ("America/New_York", "2026-07-01T08:00:00-04:00"),
        ("Asia/Kathmandu", "2026-07-01T17:45:00+05:45"),
    ],
)
def test_zoned_times(zone: str, text: str) -> None:
    assert zoned_time(datetime(2026, 7, 1, 12, tzinfo=UTC), zone) == text


def test_the_end_of_time_has_a_text_in_every_zone() -> None:
    assert zoned_time(datetime.max.replace(tzinfo=UTC), "Asia/Tokyo") is not None
    assert zoned_time(None, "Asia/Tokyo") is None


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("You@Example.COM", "you@example.com"),
        (" you@corp.local\n", "you@corp.local"),
        ("you+tag@sub.example.test", "you+tag@sub.example.test"),
    ],
)
def test_addresses(text: str, stored: str) -> None:
    assert normalised_email(text) == stored


@pytest.mark.parametrize(
    "text", ["", "you", "you@", "@a.b", "a@b", "a b@c.de", "a@b..c", "a\0@b.c"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InvalidEmail):
        normalised_email(text)


def test_the_document_of_an_outcome_has_what_says_something() -> None:
    sent = {"success": True, "result": "", "external_id": "x", "artifacts": [], "metadata": {}}
    document = document_of(sent)
    assert document == {"external_id": "x", "metadata": {}}
    assert evidence_in(document) == ("external_id",)


def test_a_rejection_stands_behind_the_summary() -> None:
    assert summary_with_rejection("s", None) == "s"
    assert summary_with_rejection("s", "no") == "s | verification rejected: no"
    assert len(summary_with_rejection("s" * 500, "no") or "") == 500


def test_versions_as_tags() -> None:
    assert expected_version(etag(12)) == 12
    assert expected_version(None) is None


@pytest.mark.parametrize(
    ("today", "end", "remaining", "projection"),
    [
        (date(2026, 3, 28), date(2026, 3, 31), 3, 141),
        (date(2026, 2, 1), date(2026, 2, 28), 27, 3_556),
        (date(2028, 2, 29), date(2028, 2, 29), 0, 127),
        (date(2026, 12, 31), date(2026, 12, 31), 0, 127),
    ],
)
def test_the_month(today: date, end: date, remaining: int, projection: int) -> None:
    month = month_of(today)
    assert (month.start, month.end) == (today.replace(day=1), end)
    assert month.days_remaining == remaining
    assert projected(127, month) == projection


@pytest.mark.parametrize("plan", PLANS.values())
def test_usage_is_warned_of_from_four_fifths(plan: Any) -> None:
    limit = plan.executions_per_month
    assert usage_warning(plan, limit * 4 // 5 - 1) is None
    assert usage_warning(plan, limit * 4 // 5) == "approaching_limit"
    assert usage_warning(plan, limit) == "limit_reached"

"""Evidence after the fact (nr 10), and how it merges."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from libs.events.base import Event, VerificationMode
from libs.events.evidence import EVIDENCE, evidence_in
from libs.events.execution_events import (
    EvidenceAppended,
    OutcomeVerified,
    VerificationFailed,
    VerificationRequested,
)
from services.outcomes.decider import append_evidence
from services.outcomes.rules import excess_of, merged_details, missing_evidence
from tests.services.dispatcher.examples import NOON, SECOND, WEBHOOK, reported
from tests.services.scheduler.deciding import Decided, events_of, given, refused

NOW = NOON + 30 * SECOND
REF = "ab" * 32
REQUIRED = {
    VerificationMode.REQUIRE_EXTERNAL_ID: "external_id",
    VerificationMode.REQUIRE_RESULT_URL: "result_url",
    VerificationMode.REQUIRE_ARTIFACTS: "artifacts",
}

ONE_ARTIFACT = {"artifacts": [{"a": 1, "b": 2}]}


def failed_for(mode: VerificationMode) -> tuple[Event, ...]:
    return (
        WEBHOOK,
        reported(mode=mode),
        VerificationFailed(at=NOON, missing=REQUIRED[mode]),
    )


def when_appended(*past: Event, evidence: tuple[str, ...], kind: str | None = None) -> Decided:
    return given(*past).when(lambda e: append_evidence(e, REF, evidence, kind, NOW))


def appended(evidence: tuple[str, ...], kind: str | None = None) -> EvidenceAppended:
    return EvidenceAppended(at=NOW, details_ref=REF, evidence=evidence, result_type=kind)


@pytest.mark.parametrize("mode", REQUIRED)
def test_the_evidence_that_was_missing_verifies_the_outcome(mode: VerificationMode) -> None:
    evidence = (REQUIRED[mode],)
    decided = when_appended(*failed_for(mode), evidence=evidence)
    decided.then(appended(evidence), OutcomeVerified(at=NOW))
    outcome = given(*failed_for(mode), *events_of(decided)).state.facts.outcome
    assert (outcome.state, outcome.validation, outcome.reason) == (
        "verified_success",
        "valid",
        None,
    )


@pytest.mark.parametrize("mode", REQUIRED)
def test_other_evidence_leaves_it_failed(mode: VerificationMode) -> None:
    others = tuple(name for name in EVIDENCE if name != REQUIRED[mode])
    decided = when_appended(*failed_for(mode), evidence=others)
    decided.then(appended(others))
    outcome = given(*failed_for(mode), *events_of(decided)).state.facts.outcome
    assert (outcome.state, outcome.validation) == ("verification_failed", "invalid")


def test_evidence_may_come_piece_by_piece() -> None:
    past = failed_for(VerificationMode.REQUIRE_ARTIFACTS)
    first = events_of(when_appended(*past, evidence=("external_id",)))
    when_appended(*past, *first, evidence=("external_id", "artifacts")).then(
        appended(("external_id", "artifacts")), OutcomeVerified(at=NOW)
    )


def test_evidence_is_stored_on_any_other_outcome_without_effect() -> None:
    mode = VerificationMode.REQUIRE_EXTERNAL_ID
    for past in (
        (WEBHOOK, reported()),
        (WEBHOOK, reported(success=False, mode=mode)),
        (WEBHOOK, reported(mode=mode), OutcomeVerified(at=NOON)),
        (WEBHOOK, reported(mode=VerificationMode.MANUAL), VerificationRequested(at=NOON)),
        (*failed_for(mode), VerificationRequested(at=NOON, by="person")),
        (WEBHOOK, reported(mode=mode), VerificationFailed(at=NOON, by="person", reason="no")),
        (WEBHOOK, reported(mode=mode), VerificationFailed(at=NOON, by="person")),
        (WEBHOOK, reported(), VerificationFailed(at=NOON, by="person")),
    ):
        before = given(*past).state.facts.outcome
        decided = when_appended(*past, evidence=EVIDENCE)
        decided.then(appended(EVIDENCE))
        after = given(*past, *events_of(decided)).state.facts.outcome
        assert after.state == before.state
        assert (after.report.details_ref, after.report.evidence) == (REF, EVIDENCE)


def test_evidence_touches_neither_success_nor_status_nor_time() -> None:
    past = (WEBHOOK, reported(success=False))
    after = given(*past, appended(("external_id",), "document")).state
    assert type(after) is type(given(*past).state)
    assert after.facts.outcome.report.success is False
    assert after.facts.outcome.report.result_type == "document"
    assert after.facts.outcome.recorded_at == given(*past).state.facts.outcome.recorded_at
    again = given(*past, appended((), "document"), appended(())).state
    assert again.facts.outcome.report.result_type == "document"


def test_without_an_outcome_there_is_nothing_to_add_to() -> None:
    when_appended(WEBHOOK, evidence=EVIDENCE).then(refused("no_outcome"))
    when_appended(evidence=EVIDENCE).then(refused("execution_not_found"))


@pytest.mark.parametrize("mode", list(VerificationMode))
@pytest.mark.parametrize("evidence", [(), ("external_id",), ("result_url", "artifacts"), EVIDENCE])
def test_what_a_mode_misses(mode: VerificationMode, evidence: tuple[str, ...]) -> None:
    required = REQUIRED.get(mode)
    missing = None if required is None or required in evidence else required
    assert missing_evidence(mode, evidence) == missing


@pytest.mark.parametrize(
    ("present", "added", "merged"),
    [
        ({}, {"external_id": "a"}, {"external_id": "a"}),
        ({"external_id": "a"}, {"external_id": "b"}, {"external_id": "b"}),
        ({"external_id": "a"}, {"summary": "s"}, {"external_id": "a", "summary": "s"}),
        ({"artifacts": [1]}, {"artifacts": [2, 1, 2]}, {"artifacts": [1, 2]}),
        ({}, {"artifacts": [{"a": 1}, {"a": 1}]}, {"artifacts": [{"a": 1}]}),
        ({"artifacts": [{"a": 1, "b": 2}]}, {"artifacts": [{"b": 2, "a": 1}]}, ONE_ARTIFACT),
        ({"artifacts": [1, 0]}, {"artifacts": [True, False]}, {"artifacts": [1, 0, True, False]}),
        (
            {"metadata": {"own": 1}},
            {"metadata": {"a": 1}},
            {"metadata": {"own": 1}, "evidence_metadata": {"a": 1}},
        ),
        (
            {"evidence_metadata": {"a": 1, "b": {"x": 1}}},
            {"metadata": {"b": {"y": 2}, "c": 3}},
            {"evidence_metadata": {"a": 1, "b": {"y": 2}, "c": 3}},
        ),
    ],
)
def test_evidence_merges(
    present: dict[str, Any], added: dict[str, Any], merged: dict[str, Any]
) -> None:
    before = repr(present)
    # By their text, since to Python 1 equals True.
    assert repr(merged_details(present, added)) == repr(merged)
    assert repr(present) == before


def many(first: int, last: int) -> dict[str, Any]:
    return {"artifacts": list(range(first, last))}


def test_a_hundred_artifacts_are_the_most_and_none_is_cut() -> None:
    full = merged_details(many(0, 80), many(70, 100))
    assert full == many(0, 100)
    assert excess_of(full) is None
    excess = excess_of(merged_details(full, many(100, 101)))
    assert excess is not None
    assert (excess.code, "101" in excess.message) == ("validation_error", True)


@pytest.mark.parametrize(
    ("present", "added", "code"),
    [
        ({"artifacts": ["x" * 40_000]}, {"artifacts": ["y" * 25_400]}, None),
        ({"artifacts": ["x" * 40_000]}, {"artifacts": ["y" * 25_600]}, "validation_error"),
        ({"evidence_metadata": {"a": "x" * 9_000}}, {"metadata": {"b": "y" * 1_200}}, None),
        (
            {"evidence_metadata": {"a": "x" * 9_000}},
            {"metadata": {"b": "y" * 1_300}},
            "metadata_too_large",
        ),
        ({"evidence_metadata": {"a": "x" * 9_000}}, {"metadata": {"a": "y" * 9_000}}, None),
        ({"metadata": {"a": "x" * 9_000}}, {"metadata": {"b": "y" * 9_000}}, None),
    ],
)
def test_what_is_merged_has_bounds_too(
    present: dict[str, Any], added: dict[str, Any], code: str | None
) -> None:
    excess = excess_of(merged_details(present, added))
    assert (excess and excess.code) == code


def test_too_much_is_refused_after_what_is_missing() -> None:
    excess = excess_of(many(0, 101))
    assert excess is not None

    def append(execution: Any) -> Any:
        return append_evidence(execution, REF, ("artifacts",), None, NOW, excess=excess)

    given(WEBHOOK, reported()).when(append).then(refused("validation_error"))
    given(WEBHOOK).when(append).then(refused("no_outcome"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "external_id": st.text(min_size=1, max_size=5),
        "summary": st.text(min_size=1, max_size=5),
        "artifacts": st.lists(json_values, min_size=1, max_size=40),
        "metadata": st.dictionaries(st.text(max_size=3), json_values, max_size=3),
    },
)


@hypothesis_settings(max_examples=40, deadline=None)
@for_all(st.lists(documents, max_size=4))
def test_nothing_that_was_given_is_lost(added: list[dict[str, Any]]) -> None:
    merged: dict[str, Any] = {}
    for document in added:
        before, merged = merged, merged_details(merged, document)
        assert set(evidence_in(before)) <= set(evidence_in(merged))
        artifacts = merged.get("artifacts", [])
        assert before.get("artifacts", []) == artifacts[: len(before.get("artifacts", []))]
        assert (
            before.get("evidence_metadata", {}).keys() <= merged.get("evidence_metadata", {}).keys()
        )
    assert merged_details(merged, {}) == merged

"""The merge of nr 4: absent is unchanged, objects merge by field, leaves and payload replace.

The API has turned `null` into the default already.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from libs.events.base import Reference, VerificationMode
from libs.events.cue_settings import (
    AlertRules,
    Callback,
    CueSettings,
    Delivery,
    OnFailure,
    Retry,
)
from libs.events.cues import (
    CueUpdated,
    evolve,
)
from services.scheduler.decider.cues import merged, update_cue
from tests.services.scheduler.deciding import Decided, given, refused
from tests.services.scheduler.examples import (
    FREE,
    FULL,
    HOUR,
    MINUTE,
    NOON,
    created,
    fired,
    paused,
    settings,
    update,
)

LATER = NOON + 10 * MINUTE

CHOSEN = settings(
    description_ref="d" * 64,
    callback=Callback(url="https://a.example/in", method="PUT", headers_ref="e" * 64),
    payload=Reference(sha256="f" * 64, task="t", agent="a"),
    retry=Retry(max_attempts=5, backoff_minutes=(2, 4)),
    delivery=Delivery(timeout_seconds=7, outcome_deadline_seconds=70),
    alerts=AlertRules(consecutive_failures=9, missed_window_multiplier=4),
    catch_up="skip_missed",
    verification=VerificationMode.MANUAL,
    on_failure=OnFailure(email=False, webhook="https://a.example/failed", pause=True),
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "evening"}, {"name": "evening"}),
        ({"description_ref": "1" * 64}, {"description_ref": "1" * 64}),
        ({"description_ref": None}, {"description_ref": None}),
        (
            {"callback": {"url": "https://b.example"}},
            {"callback": Callback(url="https://b.example", method="PUT", headers_ref="e" * 64)},
        ),
        (
            {"callback": {"method": "GET"}},
            {"callback": Callback(url="https://a.example/in", method="GET", headers_ref="e" * 64)},
        ),
        (
            {"callback": {"headers_ref": None}},
            {"callback": Callback(url="https://a.example/in", method="PUT")},
        ),
        ({"payload": {"sha256": "2" * 64}}, {"payload": Reference(sha256="2" * 64)}),
        ({"payload": {}}, {"payload": Reference()}),
        ({"retry": {"max_attempts": 1}}, {"retry": Retry(max_attempts=1, backoff_minutes=(2, 4))}),
        (
            {"retry": {"backoff_minutes": [3]}},
            {"retry": Retry(max_attempts=5, backoff_minutes=(3,))},
        ),
        (
            {"retry": {"max_attempts": 3, "backoff_minutes": [1, 5, 15]}},
            {"retry": Retry()},
        ),
        (
            {"delivery": {"timeout_seconds": 9}},
            {"delivery": Delivery(timeout_seconds=9, outcome_deadline_seconds=70)},
        ),
        (
            {"delivery": {"outcome_deadline_seconds": 90}},
            {"delivery": Delivery(timeout_seconds=7, outcome_deadline_seconds=90)},
        ),
        (
            {"alerts": {"consecutive_failures": 1}},
            {"alerts": AlertRules(consecutive_failures=1, missed_window_multiplier=4)},
        ),
        (
            {"alerts": {"missed_window_multiplier": 2}},
            {"alerts": AlertRules(consecutive_failures=9, missed_window_multiplier=2)},
        ),
        ({"catch_up": "replay_all_missed"}, {"catch_up": "replay_all_missed"}),
        (
            {"verification": "require_artifacts"},
            {"verification": VerificationMode.REQUIRE_ARTIFACTS},
        ),
        (
            {"on_failure": {"email": True}},
            {"on_failure": OnFailure(webhook="https://a.example/failed", pause=True)},
        ),
        ({"on_failure": {"webhook": None}}, {"on_failure": OnFailure(email=False, pause=True)}),
        (
            {"on_failure": {"pause": False}},
            {"on_failure": OnFailure(email=False, webhook="https://a.example/failed")},
        ),
        (
            {"name": "both", "retry": {"max_attempts": 2}},
            {"name": "both", "retry": Retry(max_attempts=2, backoff_minutes=(2, 4))},
        ),
    ],
)
def test_a_change_merges_by_field(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert merged(CHOSEN, changes) == msgspec.structs.replace(CHOSEN, **expected)


DEFAULTS: dict[str, tuple[dict[str, Any], Any]] = {
    "description_ref": ({"description_ref": None}, None),
    "payload": ({"payload": {}}, Reference()),
    "retry": ({"retry": msgspec.structs.asdict(Retry())}, Retry()),
    "delivery": ({"delivery": msgspec.structs.asdict(Delivery())}, Delivery()),
    "alerts": ({"alerts": msgspec.structs.asdict(AlertRules())}, AlertRules()),
    "catch_up": ({"catch_up": "run_once_if_missed"}, "run_once_if_missed"),
    "verification": ({"verification": "none"}, VerificationMode.NONE),
    "on_failure": ({"on_failure": msgspec.structs.asdict(OnFailure())}, OnFailure()),
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_null_is_back_to_the_default_and_leaves_the_rest(name: str) -> None:
    changes, default = DEFAULTS[name]
    assert merged(CHOSEN, changes) == msgspec.structs.replace(CHOSEN, **{name: default})


def test_no_change_leaves_every_setting() -> None:
    assert merged(CHOSEN, {}) == CHOSEN


def test_a_schedule_keeps_the_stored_zone_and_drops_the_other_field() -> None:
    stored = settings(schedule=msgspec.structs.replace(CHOSEN.schedule, timezone="Europe/Berlin"))
    later = merged(stored, {"schedule": {"cron": None, "at": "2027-01-01T00:00:00Z"}}).schedule
    assert (later.cron, later.timezone) == (None, "Europe/Berlin")
    assert later.at is not None
    back = merged(
        settings(schedule=later), {"schedule": {"cron": "5 * * * *", "at": None}}
    ).schedule
    assert (back.cron, back.at, back.timezone) == ("5 * * * *", None, "Europe/Berlin")


def test_a_schedule_may_name_a_new_zone() -> None:
    schedule = merged(CHOSEN, {"schedule": {"cron": "5 * * * *", "timezone": "UTC"}}).schedule
    assert schedule.timezone == "UTC"


def change(changes: dict[str, Any], *, name_taken: bool = False) -> Decided:
    command = update(changes)
    return given(created()).when(
        lambda cue: update_cue(command, cue, FREE, name_taken=name_taken, now=LATER)
    )


def test_an_empty_change_changes_nothing() -> None:
    change({}).then()


def test_a_change_to_the_present_value_changes_nothing() -> None:
    change({"name": settings().name, "retry": {"max_attempts": 3}}).then()


def test_a_change_keeps_the_next_run() -> None:
    change({"name": "evening"}).then(
        CueUpdated(at=LATER, settings=settings(name="evening"), next_run=NOON + HOUR)
    )


def test_a_change_of_a_paused_cue_leaves_it_paused() -> None:
    command = update({"name": "evening"})
    given(created(), paused(NOON + MINUTE)).when(
        lambda cue: update_cue(command, cue, FREE, name_taken=False, now=LATER)
    ).then(CueUpdated(at=LATER, settings=settings(name="evening"), next_run=None))


def test_a_change_keeps_what_is_counted() -> None:
    before = given(created(), fired(NOON)).state
    changed = CueUpdated(at=LATER, settings=settings(name="evening"), next_run=NOON + HOUR)
    after = evolve(before, changed)
    assert after.facts.fired_count == 1
    assert after.facts.created_at == NOON
    assert after.facts.updated_at == LATER


def test_a_taken_name_is_refused() -> None:
    change({"name": "evening"}, name_taken=True).then(refused("duplicate_cue_name"))


def test_a_cue_that_is_not_there_cannot_be_changed() -> None:
    def decide(cue: Any) -> Any:
        return update_cue(update({"name": "x"}), cue, FREE, name_taken=False, now=LATER)

    given().when(decide).then(refused("cue_not_found"))


def test_a_full_plan_hinders_no_change_of_settings() -> None:
    given(created()).when(
        lambda cue: update_cue(
            update({"catch_up": "skip_missed"}), cue, FULL, name_taken=False, now=LATER
        )
    ).then(CueUpdated(at=LATER, settings=settings(catch_up="skip_missed"), next_run=NOON + HOUR))


def test_settings_survive_being_written_and_read() -> None:
    assert msgspec.json.decode(msgspec.json.encode(CHOSEN), type=CueSettings) == CHOSEN

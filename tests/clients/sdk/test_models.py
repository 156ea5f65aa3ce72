"""Models: typed, frozen, and nothing that the server sent is lost."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cueapi.models import Cue, CueDetail, CueList, Execution

SENT = {
    "id": "cue_1",
    "schedule": {"type": "once", "cron": None, "at": "2026-03-28T09:00:00-04:00"},
    "next_run": None,
    "run_count": 3,
    "created_at": "2026-03-27T18:00:00.120000Z",
    "new_field": {"of": "tomorrow"},
}


def test_attributes_are_typed() -> None:
    cue = Cue.from_dict(SENT)
    assert cue.created_at == datetime(2026, 3, 27, 18, 0, 0, 120_000, tzinfo=UTC)
    assert cue.schedule.at == datetime(2026, 3, 28, 9, tzinfo=timezone(timedelta(hours=-4)))
    assert cue.next_run is None
    assert cue.description is None
    assert CueDetail(executions=[{"id": "e"}]).executions == [Execution(id="e")]


def test_keys_give_the_json_itself() -> None:
    cue = Cue.from_dict(SENT)
    assert cue["created_at"] == SENT["created_at"]
    assert cue["schedule"]["type"] == "once"
    assert cue.get("nothing", 1) == 1
    assert "new_field" in cue
    with pytest.raises(KeyError):
        cue["nothing"]


def test_unknown_fields_are_kept() -> None:
    cue = Cue.from_dict(SENT)
    assert cue.extra == {"new_field": {"of": "tomorrow"}}
    assert cue.to_dict() == SENT == cue.model_dump()


def test_a_field_that_must_be_there_is_missed_when_it_is_read() -> None:
    with pytest.raises(AttributeError, match=r"Cue\.name: the server did not send it"):
        _ = Cue.from_dict(SENT).name


def test_models_are_frozen() -> None:
    cue = Cue.from_dict(SENT)
    with pytest.raises(AttributeError, match="frozen"):
        cue.id = "other"
    with pytest.raises(AttributeError, match="frozen"):
        del cue.id


def test_models_are_values() -> None:
    cue = Cue.from_dict(SENT)
    assert cue == Cue(**SENT) != Cue(id="cue_2")
    assert {cue, Cue(**SENT)} == {cue}
    assert cue != SENT
    assert pickle.loads(pickle.dumps(cue)) == cue == copy.deepcopy(cue)
    assert repr(Cue(id="cue_1")) == "Cue(id='cue_1')"


def test_what_is_no_object_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="Cue: expected a JSON object"):
        Cue.from_dict([])  # type: ignore[arg-type]


def test_a_page_of_no_client_ends_with_itself() -> None:
    page = CueList(cues=[{"id": "1"}], total=2, limit=1, offset=0)
    assert page.cues == [Cue(id="1")]
    with pytest.raises(TypeError, match="no client"):
        list(page)

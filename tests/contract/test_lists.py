"""Lists (contract §1 "Lists"): a row for each, its defaults, its bounds and its filters."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from services.api.app import RESOURCES
from tests.services.api.conftest import Fixture


class Listed(NamedTuple):
    """One list: where its items are, its usual limit, its filters by kind."""

    items: str
    limit: int
    enums: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    instants: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


LISTS = {
    "/v1/cues": Listed("cues", 50, enums=("status",)),
    "/v1/executions": Listed(
        "executions",
        20,
        enums=("status", "status__in", "outcome_state", "triggered_by"),
        flags=("has_evidence",),
        instants=("since", "until"),
        texts=("cue_id", "worker_id", "result_type"),
    ),
    "/v1/alerts": Listed(
        "alerts",
        20,
        enums=("alert_type",),
        flags=("acknowledged",),
        instants=("since",),
        texts=("cue_id", "execution_id"),
    ),
    "/v1/support": Listed("tickets", 20, enums=("ticket_status", "status")),
}
BAD_PAGES = [
    *(("limit", value) for value in ("0", "101", "-1", "x", "1.5", "", "1e1", " 5", "9" * 30)),
    *(("offset", value) for value in ("-1", "2147483648", "x", "0.5", "")),
]


def rows(kind: str) -> list[tuple[str, str]]:
    return [(path, name) for path, listed in LISTS.items() for name in getattr(listed, kind)]


async def refusal(api: Fixture, path: str, **query: str) -> tuple[int, str, list[str]]:
    response = await api.client.get(path, params=query)
    error = response.json()["error"]
    fields = [detail["field"] for detail in error.get("details", [])]
    return response.status_code, error["code"], fields


@pytest.mark.parametrize("path", LISTS)
async def test_an_empty_list_tells_its_page(api: Fixture, path: str) -> None:
    listed = LISTS[path]
    answered = (await api.client.get(path)).json()
    expected = {listed.items: [], "total": 0, "limit": listed.limit, "offset": 0}
    assert answered == {**answered, **expected}
    widest = (await api.client.get(f"{path}?limit=100&offset=2147483647&unknown=1")).json()
    assert (widest["limit"], widest["offset"]) == (100, 2_147_483_647)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(("name", "value"), BAD_PAGES)
async def test_pages_have_bounds(api: Fixture, path: str, name: str, value: str) -> None:
    expected = (422, "validation_error", [f"query.{name}"])
    assert await refusal(api, path, **{name: value}) == expected


@pytest.mark.parametrize(("path", "name"), rows("enums"))
@pytest.mark.parametrize("value", ["nothing", "ACTIVE", "active ,x"])
async def test_enum_filters_name_their_values(
    api: Fixture, path: str, name: str, value: str
) -> None:
    assert await refusal(api, path, **{name: value}) == (400, "invalid_filter", [])


@pytest.mark.parametrize(("path", "name"), rows("flags"))
@pytest.mark.parametrize("value", ["1", "yes", "TRUE", ""])
async def test_flags_are_true_or_false(api: Fixture, path: str, name: str, value: str) -> None:
    expected = (422, "validation_error", [f"query.{name}"])
    assert await refusal(api, path, **{name: value}) == expected
    assert (await api.client.get(f"{path}?{name}=true")).status_code == 200


@pytest.mark.parametrize(("path", "name"), rows("instants"))
@pytest.mark.parametrize("value", ["yesterday", "2026-03-28", "1774656000", "2026-02-30T00:00:00Z"])
async def test_instants_are_rfc_3339(api: Fixture, path: str, name: str, value: str) -> None:
    expected = (422, "validation_error", [f"query.{name}"])
    assert await refusal(api, path, **{name: value}) == expected


@pytest.mark.parametrize(("path", "name"), rows("texts"))
async def test_an_id_of_nothing_lists_nothing(api: Fixture, path: str, name: str) -> None:
    response = await api.client.get(path, params={name: "nothing' or 1=1"})
    assert response.status_code == 200
    assert response.json()["total"] == 0


async def test_a_status_is_given_in_one_way(api: Fixture) -> None:
    both = {"status": "failed", "status__in": "failed"}
    assert await refusal(api, "/v1/executions", **both) == (400, "conflicting_filters", [])
    none = await refusal(api, "/v1/executions", status__in=" , ")
    assert none == (400, "invalid_status_in", [])


def test_every_filter_of_every_list_has_a_row() -> None:
    queries = {
        each.path: set(each.query.model_fields)
        for resource in RESOURCES
        for each in resource.all
        if "offset" in each.query.model_fields
    }
    table = {
        path: {"limit", "offset", *listed.enums, *listed.flags, *listed.instants, *listed.texts}
        for path, listed in LISTS.items()
    }
    assert table == queries

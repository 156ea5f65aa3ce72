"""Cues: create, change, fire, and ask about their past (contract §2 nr 1-6, §3, §16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from cueapi.calls import Call, nothing, query
from cueapi.models.cues import (
    BulkDeletion,
    Cue,
    CueDetail,
    CueList,
    DeliveryTest,
    Explanation,
    SlotList,
)
from cueapi.models.executions import NewExecution
from cueapi.resource import AsyncResource, Resource, listing, operation
from cueapi.values import NOT_GIVEN, Instant, JsonObject, NotGiven, given, present, segment

Part: TypeAlias = Mapping[str, Any]


class CueCalls:
    """The calls about cues."""

    @operation
    def create(
        self,
        name: str,
        *,
        cron: str | None = None,
        at: Instant | None = None,
        timezone: str = "UTC",
        callback: str | Part | None = None,
        callback_method: str = "POST",
        callback_headers: Mapping[str, str] | None = None,
        transport: str = "webhook",
        payload: JsonObject | None = None,
        description: str | None = None,
        retry: Part | None = None,
        delivery: Part | None = None,
        alerts: Part | None = None,
        catch_up: str | None = None,
        verification: str | Part | None = None,
        on_failure: Part | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Cue]:
        """Create a cue: recurring with `cron`, once with `at`.

        `callback` is the URL, or the whole object `{"url", "method", "headers"}`. `verification`
        is a mode or `{"mode": …}`. Raises ValueError unless exactly one of `cron` and `at` is
        given, or if `at` is a naive datetime.
        """
        body = {
            "name": name,
            "schedule": schedule_of(cron, at, timezone),
            "transport": transport,
            "payload": {} if payload is None else dict(payload),
        } | present(
            callback=_callback(callback, callback_method, callback_headers or NOT_GIVEN),
            description=description,
            retry=retry,
            delivery=delivery,
            alerts=alerts,
            catch_up=catch_up,
            verification=_verification(verification),
            on_failure=on_failure,
        )
        return Call("POST", "/v1/cues", Cue.from_dict, json=body, idempotency_key=idempotency_key)

    @listing
    def list(self, *, limit: int = 20, offset: int = 0, status: str | None = None) -> Call[CueList]:
        """List cues, newest first; going over the result fetches all pages."""
        wanted = query(limit=limit, offset=offset, status=status)
        return Call("GET", "/v1/cues", CueList.from_dict, query=wanted)

    @operation
    def get(
        self,
        cue_id: str,
        *,
        as_of: Instant | None = None,
        execution_limit: int | None = None,
        execution_offset: int | None = None,
    ) -> Call[CueDetail]:
        """Read a cue with its latest executions; with `as_of`, as it was at that instant."""
        wanted = query(
            as_of=as_of, execution_limit=execution_limit, execution_offset=execution_offset
        )
        return Call("GET", _cue(cue_id), CueDetail.from_dict, query=wanted)

    @operation
    def update(
        self,
        cue_id: str,
        *,
        name: str | NotGiven = NOT_GIVEN,
        description: str | NotGiven | None = NOT_GIVEN,
        status: str | NotGiven = NOT_GIVEN,
        cron: str | NotGiven = NOT_GIVEN,
        at: Instant | NotGiven = NOT_GIVEN,
        timezone: str | NotGiven = NOT_GIVEN,
        callback: str | Part | NotGiven = NOT_GIVEN,
        callback_method: str | NotGiven = NOT_GIVEN,
        callback_headers: Mapping[str, str] | NotGiven | None = NOT_GIVEN,
        payload: JsonObject | NotGiven | None = NOT_GIVEN,
        retry: Part | NotGiven | None = NOT_GIVEN,
        delivery: Part | NotGiven | None = NOT_GIVEN,
        alerts: Part | NotGiven | None = NOT_GIVEN,
        catch_up: str | NotGiven | None = NOT_GIVEN,
        verification: str | Part | NotGiven | None = NOT_GIVEN,
        on_failure: Part | NotGiven | None = NOT_GIVEN,
        if_match: str | None = None,
    ) -> Call[Cue]:
        """Change what is given; None sets a field back to its default.

        `timezone` alone keeps the cron or instant: the cue is read first. With `if_match`, the
        ETag of a version, only that version is changed, else PreconditionFailedError. Raises
        ValueError if both `cron` and `at` are given.
        """
        body = given(
            name=name,
            description=description,
            status=status,
            callback=_callback(callback, callback_method, callback_headers),
            payload=payload,
            retry=retry,
            delivery=delivery,
            alerts=alerts,
            catch_up=catch_up,
            verification=_verification(verification),
            on_failure=on_failure,
        )
        when = given(cron=cron, at=at, timezone=timezone)
        if when.keys() == {"timezone"}:
            read = Call("GET", _cue(cue_id), Cue.from_dict)
            return read.then(lambda cue: _patch(cue_id, body | _moved(cue, when), if_match))
        if when:
            body["schedule"] = schedule_of(**when)
        return _patch(cue_id, body, if_match)

    @operation
    def pause(self, cue_id: str) -> Call[Cue]:
        """Stop scheduling; executions already made go on."""
        return _patch(cue_id, {"status": "paused"})

    @operation
    def resume(self, cue_id: str) -> Call[Cue]:
        """Schedule again from now on."""
        return _patch(cue_id, {"status": "active"})

    @operation
    def delete(self, cue_id: str, *, if_match: str | None = None) -> Call[None]:
        """Delete a cue with all its executions."""
        return Call("DELETE", _cue(cue_id), nothing, headers=_matching(if_match))

    @operation
    def bulk_delete(self, ids: Sequence[str]) -> Call[BulkDeletion]:
        """Delete up to 100 cues; those that are not there are told in `skipped`."""
        confirmed = {"X-Confirm-Destructive": "true"}
        body = {"ids": [*ids]}
        path = "/v1/cues/bulk-delete"
        return Call("POST", path, BulkDeletion.from_dict, json=body, headers=confirmed)

    @operation
    def fire(
        self,
        cue_id: str,
        *,
        payload_override: JsonObject | None = None,
        merge_strategy: str | None = None,
        send_at: Instant | None = None,
        exit_criteria: JsonObject | None = None,
        idempotency_key: str | None = None,
    ) -> Call[NewExecution]:
        """Make an execution now, or at `send_at`.

        `payload_override` is merged over the cue's payload, or with `merge_strategy="replace"`
        takes its place. The same `idempotency_key` fires once in 24 hours. Raises ValueError for
        `exit_criteria`: servers that do not check them must not seem to.
        """
        if exit_criteria is not None:
            raise ValueError("exit_criteria are not checked by the server: see verification")
        body = present(
            payload_override=payload_override,
            merge_strategy=merge_strategy,
            send_at=send_at,
            idempotency_key=idempotency_key,
        )
        path = f"{_cue(cue_id)}/fire"
        parse = NewExecution.from_dict
        return Call("POST", path, parse, json=body, idempotency_key=idempotency_key)

    @operation
    def test(self, cue_id: str) -> Call[DeliveryTest]:
        """Send one signed request to the callback now, without making an execution."""
        return Call("POST", f"{_cue(cue_id)}/test", DeliveryTest.from_dict, json={})

    @operation
    def explain(self, cue_id: str, at: Instant) -> Call[Explanation]:
        """Tell why the cue did or did not run at an instant."""
        path = f"{_cue(cue_id)}/explain"
        return Call("GET", path, Explanation.from_dict, query=query(at=at))

    @operation
    def slots(
        self, cue_id: str, *, since: Instant | None = None, until: Instant | None = None
    ) -> Call[SlotList]:
        """List every due time in a range with how it ended; at most 1,000."""
        wanted = query(since=since, until=until)
        return Call("GET", f"{_cue(cue_id)}/slots", SlotList.from_dict, query=wanted)


class CuesResource(CueCalls, Resource):
    """`client.cues`."""


class AsyncCuesResource(CueCalls, AsyncResource):
    """`client.cues` of an async client."""


def schedule_of(
    cron: str | None = None, at: Instant | None = None, timezone: str | None = None
) -> dict[str, Any]:
    """Make the `schedule` of a body: recurring with `cron`, once with `at`.

    Raises ValueError unless exactly one of them is given, or if `at` is a naive datetime.
    """
    if (cron is None) == (at is None):
        raise ValueError("give either cron (recurring) or at (once)")
    kind = "once" if cron is None else "recurring"
    return {"type": kind, **present(cron=cron, at=at, timezone=timezone)}


def _moved(cue: Cue, zone: dict[str, Any]) -> dict[str, Any]:
    return {"schedule": present(**cue["schedule"]) | zone}


def _callback(callback: Any, method: Any, headers: Any) -> Any:
    if isinstance(callback, Mapping):
        return dict(callback)
    if callback is None:
        return None
    if callback is NOT_GIVEN and method is NOT_GIVEN and headers is NOT_GIVEN:
        return NOT_GIVEN
    return given(url=callback, method=method, headers=headers)


def _verification(verification: Any) -> Any:
    return {"mode": verification} if isinstance(verification, str) else verification


def _cue(cue_id: str) -> str:
    return f"/v1/cues/{segment(cue_id)}"


def _matching(if_match: str | None) -> dict[str, str]:
    return {} if if_match is None else {"If-Match": if_match}


def _patch(cue_id: str, body: dict[str, Any], if_match: str | None = None) -> Call[Cue]:
    headers = _matching(if_match)
    return Call("PATCH", _cue(cue_id), Cue.from_dict, json=body, headers=headers)

"""Everything that was answered 2xx is in the log, and nothing is there twice (design §2 rule 1)."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import count

from libs.events.execution_events import ExecutionScheduled
from tests.e2e.history import Exchange, History
from tests.e2e.snapshot import Snapshot

Promise = tuple[str, str]
"""A stream, and the type of an event which must be in it."""


def broken(history: History, now: Snapshot) -> Iterator[str]:
    """Say which answers the log does not keep."""
    logged = Counter(
        (stream, type(entry.event).__name__)
        for stream, entries in now.streams.items()
        for entry in entries
    )
    promised = Counter(promise for each in history.exchanges for promise in promises(each))
    for (stream, kind), times in promised.items():
        if times > logged[stream, kind]:
            there = logged[stream, kind]
            yield f"{times} answers promised {kind} in {stream}, where it is {there} times"
    for each in history.with_status(500):
        yield f"{each.method} {each.path} was answered 500"
    yield from _fires(history, now)
    yield from _repeats(history)


def promises(exchange: Exchange) -> list[Promise]:
    """Say what an answer means for the log; an answer that was given before means nothing new."""
    if not exchange.accepted or exchange.headers.get("idempotent-replayed"):
        return []
    body, sent = exchange.body, exchange.sent or {}
    match exchange.method, exchange.path.strip("/").split("/")[1:]:
        case "POST", ["cues"]:
            return [(f"cue-{body['id']}", "CueCreated")]
        case "PATCH", ["cues", cue]:
            status = {"paused": "CuePaused", "active": "CueResumed"}
            kinds = [status[sent["status"]]] if "status" in sent else []
            kinds += ["CueUpdated"] if sent.keys() - {"status"} else []
            return [(f"cue-{cue}", kind) for kind in kinds]
        case "DELETE", ["cues", cue]:
            return [(f"cue-{cue}", "CueDeleted")]
        case "POST", ["cues", _, "fire"]:
            return [(f"execution-{body['execution_id']}", "ExecutionScheduled")]
        case (("POST" | "PATCH"), ["executions", *_, verb]) if verb in _EVENT_OF:
            return [(f"execution-{body['execution_id']}", _EVENT_OF[verb])]
        case _:
            return []


_EVENT_OF = {
    "claim": "ExecutionClaimed",
    "heartbeat": "LeaseExtended",
    "outcome": "OutcomeReported",
    "evidence": "EvidenceAppended",
}


def _fires(history: History, now: Snapshot) -> Iterator[str]:
    """No cue has more executions by hand than there were requests which may have made one."""
    unkeyed = count()
    requests: dict[str, set[str | int]] = defaultdict(set)
    for each in history.exchanges:
        if _is_fire(each) and (each.accepted or each.ambiguous):
            requests[each.path.split("/")[3]].add(_key(each) or next(unkeyed))
    made = Counter(
        event.cue_id for event in now.all(ExecutionScheduled) if event.triggered_by == "manual_fire"
    )
    for cue_id, times in made.items():
        if times > len(requests[cue_id]):
            yield f"{cue_id} was fired {times}x by {len(requests[cue_id])} requests"


def _repeats(history: History) -> Iterator[str]:
    """One idempotency key has one result."""
    results: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for each in history.exchanges:
        if each.accepted and _is_fire(each) and (key := _key(each)):
            results[each.account, each.path, key].add(each.body["execution_id"])
        elif each.accepted and each.idempotency_key and each.path == "/v1/cues":
            results[each.account, each.path, each.idempotency_key].add(each.body["id"])
    for (_, path, key), ids in results.items():
        if len(ids) > 1:
            yield f"the key {key} at {path} gave {len(ids)} results"


def _is_fire(exchange: Exchange) -> bool:
    return exchange.method == "POST" and exchange.path.endswith("/fire")


def _key(exchange: Exchange) -> str | None:
    # The key in the body wins over the header.
    sent = exchange.sent or {}
    return sent.get("idempotency_key") or exchange.idempotency_key

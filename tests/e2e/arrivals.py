"""What arrived at the callbacks, held against the log: no POST without a record, none too many."""

from collections import Counter
from collections.abc import Iterator, Sequence

from libs.events.base import Event
from libs.events.execution_events import (
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    ExecutionScheduled,
    LateResultRecorded,
)
from tests.e2e.receiver import Arrival
from tests.e2e.snapshot import Snapshot


def faults(arrivals: Sequence[Arrival], now: Snapshot) -> Iterator[str]:
    """Say which POSTs and which records do not match; later POSTs are passed over."""
    histories = now.of_category("execution")
    by_execution: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        if not arrival.verified:
            yield f"{_name(arrival)} is not signed with its account's secret"
        if arrival.is_test:
            if f"execution-{arrival.execution_id}" in histories:
                yield f"{_name(arrival)} says that it is a test, and is on record"
            continue
        by_execution.setdefault(arrival.execution_id, []).append(arrival)
    for execution_id, all_posts in by_execution.items():
        posts = [post for post in all_posts if post.at < now.now]
        events = histories.get(f"execution-{execution_id}", [])
        yield from _posts(posts, events)
    for stream, events in histories.items():
        yield from _records(stream, events, by_execution.get(stream.partition("-")[2], []))


def _posts(posts: Sequence[Arrival], events: Sequence[Event]) -> Iterator[str]:
    begun = {event.epoch: event.at for event in events if isinstance(event, AttemptStarted)}
    due = [event.scheduled_for for event in events if isinstance(event, ExecutionScheduled)]
    for post in posts:
        if post.attempt not in begun or begun[post.attempt] > post.at:
            yield f"{_name(post)} was sent before it was on record"
        if not due or post.at < due[0]:
            yield f"{_name(post)} was sent before it was due"
    for attempt, times in Counter(post.attempt for post in posts).items():
        if times > 1:
            yield f"attempt {attempt} of {posts[0].execution_id} was sent {times}x"
    acknowledged = sum(_is_ack(post) for post in posts)
    unheard = sum(_is_unheard(event) for event in events)
    if acknowledged > 1 + unheard:
        yield f"{posts[0].execution_id} was taken {acknowledged}x; {unheard} answers were not heard"


def _records(stream: str, events: Sequence[Event], posts: Sequence[Arrival]) -> Iterator[str]:
    answered = {post.attempt: post.answered for post in posts}
    for event in events:
        match event:
            case AttemptSucceeded(epoch=epoch, http_status=status):
                pass
            case AttemptFailed(epoch=epoch, http_status=int(status)):
                pass
            case _:
                continue
        if answered.get(epoch) != status:
            yield f"{stream} records {status} for attempt {epoch}: it got {answered.get(epoch)}"


def _is_unheard(event: Event) -> bool:
    """Whether an answer may have been given which could not be put on record."""
    if isinstance(event, AttemptFailed):
        return event.http_status is None
    return isinstance(event, AttemptLost | LateResultRecorded)


def _is_ack(post: Arrival) -> bool:
    return post.answered is not None and 200 <= post.answered < 300


def _name(post: Arrival) -> str:
    return f"attempt {post.attempt} of {post.execution_id}"

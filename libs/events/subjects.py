"""Every subject, stream and consumer on the broker, as data and pure functions.

`commands.<service>.<command>` is a work queue with one durable consumer per service.
`calls.<service>.<command>` brings a command to one replica at once, or to nobody: nothing is kept.
`events.<category>.<type>` carries notices of what the log holds, to durable consumers by service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import get_args

from libs.events import alerts, cues, execution_commands
from libs.events.base import Command, Value
from libs.events.streams import CATEGORY_OF_EVENT

COMMANDS = "COMMANDS"
EVENTS = "EVENTS"

_SECOND = 1.0

OWNER: Mapping[type[Command], str] = {
    **dict.fromkeys(get_args(cues.CueCommand), "scheduler"),
    execution_commands.ClaimExecution: "dispatcher",
    execution_commands.ClaimNextExecution: "dispatcher",
    execution_commands.ExtendLease: "dispatcher",
    execution_commands.RecordWorkerHeartbeat: "dispatcher",
    execution_commands.DeleteWorker: "dispatcher",
    execution_commands.ReportOutcome: "outcomes",
    execution_commands.AppendEvidence: "outcomes",
    execution_commands.VerifyOutcome: "outcomes",
    execution_commands.RequestVerification: "outcomes",
    alerts.AcknowledgeAlert: "alerts",
}
CALLED: Mapping[type[Command], str] = {execution_commands.SendTestDelivery: "dispatcher"}
"""Commands that are called: made at most once, answered later than a batch, never on record."""

COMMAND_TYPES: Mapping[str, type[Command]] = {
    command.__name__: command for command in (*OWNER, *CALLED)
}


class Stream(Value):
    """A JetStream stream: it may be wiped at any time, so it is bounded rather than safe.

    Commands are kept in memory: who sends one sends it again until it is answered.
    """

    name: str
    subjects: tuple[str, ...]
    work_queue: bool
    in_memory: bool
    max_age: float
    max_bytes: int
    duplicate_window: float


class Consumer(Value):
    """A durable consumer, pushed to whichever of its service's replicas; `name` is the group.

    Pulling would be simpler to bound, but a client that pulls batches holds the first message of
    one back until the batch is full or its time is up (docs/decisions/0014).
    """

    stream: str
    name: str
    subjects: tuple[str, ...]
    ack_wait: float = 30 * _SECOND
    max_ack_pending: int = 1_000


def command_subject(command: type[Command]) -> str:
    """`commands.<owner>.<command_in_snake_case>`."""
    return f"commands.{OWNER[command]}.{snake(command.__name__)}"


def call_subject(command: type[Command]) -> str:
    """`calls.<owner>.<command_in_snake_case>`."""
    return f"calls.{CALLED[command]}.{snake(command.__name__)}"


def event_subject(event_type: str) -> str:
    """`events.<category>.<EventType>`."""
    return f"events.{CATEGORY_OF_EVENT[event_type]}.{event_type}"


def snake(name: str) -> str:
    """Turn `CreateCue` into `create_cue`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


STREAMS = (
    # A command that nobody took within half a minute was answered 503 long ago: it must not
    # come true behind its caller's back.
    Stream(
        name=COMMANDS,
        subjects=("commands.>",),
        work_queue=True,
        in_memory=True,
        max_age=30 * _SECOND,
        max_bytes=32 * 1024 * 1024,
        duplicate_window=30 * _SECOND,
    ),
    Stream(
        name=EVENTS,
        subjects=("events.>",),
        work_queue=False,
        in_memory=False,
        max_age=3_600 * _SECOND,
        max_bytes=512 * 1024 * 1024,
        duplicate_window=120 * _SECOND,
    ),
)

REACTIONS: Mapping[str, tuple[str, ...]] = {
    "dispatcher": ("ExecutionScheduled", "LeaseExpired"),
    "outcomes": ("AttemptSucceeded",),
    "scheduler": ("AttemptSucceeded", "OutcomeReported", "DeliveryFailed", "ExecutionMissed"),
    "alerts": (
        "CueCreated",
        "CueUpdated",
        "CueResumed",
        "DeliveryFailed",
        "ExecutionMissed",
        "OutcomeReported",
        "VerificationFailed",
        "OutcomeDeadlinePassed",
    ),
}

CONSUMERS = (
    *(
        Consumer(stream=COMMANDS, name=f"{service}-commands", subjects=(f"commands.{service}.>",))
        for service in sorted(set(OWNER.values()))
    ),
    *(
        Consumer(
            stream=EVENTS,
            name=f"{service}-events",
            subjects=tuple(event_subject(event) for event in events),
        )
        for service, events in REACTIONS.items()
    ),
)


def commands_consumer(service: str) -> Consumer:
    """The consumer which brings a service its commands."""
    return next(c for c in CONSUMERS if c.name == f"{service}-commands")


def events_consumer(service: str) -> Consumer:
    """The consumer which brings a service the events that it reacts to."""
    return next(c for c in CONSUMERS if c.name == f"{service}-events")

"""A small owner of commands: what `handle` needs of a service, and no more."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from libs.events.answers import CueAnswer
from libs.events.base import Command, Rejection, Value
from libs.events.cues import (
    CreateCue,
    CueCreated,
    CueDeleted,
    DeleteCue,
)
from libs.events.envelope import CommandEnvelope, Idempotency, Meta, encode
from libs.events.examples import AT, SETTINGS
from libs.events.log import LogUnit
from libs.runtime.ids import new_cue_id, new_uuid
from tests.libs.events.streams_of import META

EXISTS = Rejection(code="exists", message="the cue exists")
MISSING = Rejection(code="missing", message="there is no such cue")


class Poison(Exception):
    """A command whose handler always breaks."""


class Shop:
    """Creates and deletes cues; every other command breaks it."""

    async def load(self, unit: LogUnit, commands: Sequence[Command]) -> None:
        await unit.lock("cue", [c.cue_id for c in commands if isinstance(c, CreateCue | DeleteCue)])

    def handle(self, unit: LogUnit, command: Command, meta: Meta) -> Value | Rejection:
        match command:
            case CreateCue():
                if unit.state("cue", command.cue_id) is not None:
                    return EXISTS
                event = CueCreated(
                    at=AT,
                    cue_id=command.cue_id,
                    account_id=command.account_id,
                    settings=command.settings,
                    next_run=None,
                )
                unit.record("cue", command.cue_id, command.account_id, [event], meta)
            case DeleteCue():
                if unit.state("cue", command.cue_id) is None:
                    return MISSING
                deleted = CueDeleted(at=AT)
                unit.record("cue", command.cue_id, command.account_id, [deleted], meta)
            case _:
                raise Poison
        return CueAnswer(cue_id=command.cue_id, version=unit.version("cue", command.cue_id))


def create(account_id: str | None = None, cue_id: str | None = None) -> CreateCue:
    """The wish for a new cue; its name is its id."""
    cue_id = cue_id or new_cue_id()
    settings = msgspec.structs.replace(SETTINGS, name=cue_id)
    return CreateCue(account_id=account_id or new_uuid(), cue_id=cue_id, settings=settings)


def delete(created: CreateCue) -> DeleteCue:
    """The wish to end it again."""
    return DeleteCue(account_id=created.account_id, cue_id=created.cue_id)


def envelope_of(
    command: Command, key: str | None = None, request_hash: str = "h-1"
) -> CommandEnvelope:
    """Put a command into an envelope of its own, perhaps with an idempotency key."""
    return CommandEnvelope(
        id=new_uuid(),
        type=type(command).__name__,
        command=msgspec.Raw(encode(command)),
        meta=META,
        idempotency=Idempotency(key=key, request_hash=request_hash) if key else None,
    )

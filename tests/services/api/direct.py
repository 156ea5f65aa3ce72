"""The bus without a broker: each command goes straight to its owner's desk, on real Postgres."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from libs.events.answers import ANSWERS
from libs.events.base import Command, Value
from libs.events.bus import Refused, Unanswered
from libs.events.envelope import CommandEnvelope, Idempotency, Meta, decode, encode
from libs.events.handle import Desk, handle
from libs.events.log import PostgresLog
from libs.events.subjects import OWNER
from libs.runtime.ids import new_uuid
from services.alerts.handlers import AlertDesk
from services.dispatcher.decider.claims import LeaseTerms
from services.dispatcher.handlers import WorkerDesk
from services.outcomes.handlers import OutcomeDesk
from services.scheduler.handlers import CueDesk


class DirectBus:
    """Handles each command in a transaction of its own, at once."""

    def __init__(self, log: PostgresLog, *, enforce_limits: bool = True) -> None:
        self.connected = True
        self._log = log
        self._desks: dict[str, Callable[[], Desk[Any]]] = {
            "scheduler": lambda: CueDesk(
                enforce_limits=enforce_limits,
                unclaimed=timedelta(seconds=900),
                on_nearer=lambda _: None,
            ),
            "dispatcher": lambda: WorkerDesk(LeaseTerms()),
            "outcomes": OutcomeDesk,
            "alerts": AlertDesk,
        }

    async def ask_with_meta(
        self,
        command: Command,
        *,
        meta: Meta,
        idempotency: Idempotency | None = None,
        timeout: float = 10.0,
    ) -> tuple[Value, bool]:
        envelope = CommandEnvelope(
            id=new_uuid(),
            type=type(command).__name__,
            command=msgspec.Raw(encode(command)),
            meta=meta,
            idempotency=idempotency,
        )
        desk = self._desks[OWNER[type(command)]]()
        (reply,) = await handle(self._log, [envelope], desk)
        if reply.rejection is not None:
            raise Refused(reply.rejection)
        if reply.answer is None:
            raise Unanswered("Postgres is away")
        return decode(bytes(reply.answer), ANSWERS[type(command)]), reply.replayed

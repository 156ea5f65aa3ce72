"""The bus without a broker: each command goes straight to its owner's desk, on real Postgres."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from libs.events.answers import ANSWERS
from libs.events.base import Command, Rejection, Value
from libs.events.bus import Refused, Unanswered
from libs.events.envelope import CommandEnvelope, Idempotency, Meta, decode, encode
from libs.events.execution_commands import SendTestDelivery
from libs.events.handle import Desk, handle
from libs.events.log import PostgresLog
from libs.events.subjects import OWNER
from libs.runtime.crypto import Keyring
from libs.runtime.ids import new_uuid
from services.alerts.handlers import AlertDesk
from services.dispatcher.adapters.webhook import Attempt, Exchange, Sent, Webhook
from services.dispatcher.decider.attempts import NotAcknowledged
from services.dispatcher.decider.claims import LeaseTerms
from services.dispatcher.handlers.preparing import Preparing
from services.dispatcher.handlers.trying import DeliveryTests
from services.dispatcher.handlers.workers import WorkerDesk
from services.dispatcher.rules.request import WebhookRequest
from services.outcomes.handlers import OutcomeDesk
from services.scheduler.handlers import CueDesk


class Deaf:
    """A webhook behind which nobody is."""

    def host_of(self, url: str | None) -> str:
        return url or ""

    async def exchange(self, attempt: Attempt, timeout: float) -> Exchange:
        nobody = NotAcknowledged(error="connect", message="Could not connect")
        return Exchange(WebhookRequest(method="POST", headers={}, body=b""), nobody)

    async def send(self, attempt: Attempt) -> Sent:
        raise AssertionError("no execution is delivered here")


class DirectBus:
    """Handles each command in a transaction of its own, at once."""

    def __init__(
        self,
        log: PostgresLog,
        keyring: Keyring,
        *,
        enforce_limits: bool = True,
        webhook: Webhook | None = None,
    ) -> None:
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
        self._tests = DeliveryTests(log, Preparing(keyring), webhook or Deaf(), "CueAPI/1.0")

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

    async def call(self, command: Command, *, meta: Meta, timeout: float) -> Value:
        assert isinstance(command, SendTestDelivery)
        verdict = await self._tests.send(command, meta)
        if isinstance(verdict, Rejection):
            raise Refused(verdict)
        return verdict

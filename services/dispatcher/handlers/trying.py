"""Test deliveries: one signed request now, of which nothing goes on record (contract §16)."""

from __future__ import annotations

from datetime import datetime

from libs.events.answers import DeliveryTestAnswer, RequestMade, ResponseGot
from libs.events.base import Rejection, Transport
from libs.events.cue_settings import (
    CueSettings,
)
from libs.events.envelope import Meta
from libs.events.execution_commands import SendTestDelivery
from libs.events.executions import Facts
from libs.events.log import PostgresLog
from libs.runtime.clock import monotonic
from libs.runtime.http.exchange import Response
from libs.runtime.http.headers import masked
from libs.runtime.ids import new_uuid
from services.dispatcher import queries
from services.dispatcher.adapters.webhook import (
    KEPT_BYTES,
    Attempt,
    Exchange,
    Webhook,
    classified,
)
from services.dispatcher.decider.attempts import NotAcknowledged
from services.dispatcher.handlers.preparing import Planned, Preparing
from services.dispatcher.rules.slots import Slots

MOST_TESTS, MOST_OF_ACCOUNT = 32, 4
LONGEST_SECONDS = 30.0


class DeliveryTests:
    """Sends test deliveries, a bounded number at once, beside the slots of real ones."""

    def __init__(
        self, log: PostgresLog, preparing: Preparing, webhook: Webhook, agent: str
    ) -> None:
        self._log = log
        self._preparing = preparing
        self._webhook = webhook
        self._agent = agent
        self._slots = Slots(MOST_TESTS, MOST_OF_ACCOUNT, MOST_TESTS)

    async def send(self, command: SendTestDelivery, meta: Meta) -> DeliveryTestAnswer | Rejection:
        """Send a cue's webhook within its timeout, and within `LONGEST_SECONDS`.

        Raises `Unavailable`; nothing was sent then.
        """
        if not self._slots.take(command.account_id, "", command.cue_id):
            message = "too many test deliveries are on the wire; wait for their answers"
            return Rejection(code="rate_limit_exceeded", message=message)
        try:
            attempt = await self._attempt(command, meta)
            if isinstance(attempt, Rejection):
                return attempt
            timeout = min(float(attempt.settings.delivery.timeout_seconds), LONGEST_SECONDS)
            began = monotonic()
            exchange = await self._webhook.exchange(attempt, timeout)
            return self._answer(attempt, exchange, monotonic() - began)
        finally:
            self._slots.release(command.account_id, "")

    async def _attempt(self, command: SendTestDelivery, meta: Meta) -> Attempt | Rejection:
        async with self._log.transaction() as unit:
            settings = await queries.cue_of(unit, command.cue_id, command.account_id)
            if settings is None:
                message = f"no cue {command.cue_id} in this account"
                return Rejection(code="cue_not_found", message=message)
            if settings.transport is Transport.WORKER:
                message = "a worker's cue has no callback that could be tested"
                return Rejection(code="invalid_state", message=message)
            facts = _facts(command, settings, meta, unit.now)
            planned = Planned(facts=facts, epoch=1, settings=settings, test=True)
            [attempt] = await self._preparing.attempts(unit, [planned])
        return attempt

    def _answer(self, attempt: Attempt, exchange: Exchange, seconds: float) -> DeliveryTestAnswer:
        sent, got = exchange
        body, cut = _shown(sent.body)
        request = RequestMade(
            method=sent.method,
            url=attempt.settings.callback.url or "",
            headers={"User-Agent": self._agent, **masked(sent.headers, attempt.headers)},
            body=body,
            cut=cut,
        )
        result = classified(got).result
        failed = result if isinstance(result, NotAcknowledged) else None
        return DeliveryTestAnswer(
            request=request,
            duration_ms=round(seconds * 1_000),
            response=_response(got) if isinstance(got, Response) else None,
            error=failed.error if failed else None,
            message=failed.message if failed else None,
        )


def _facts(command: SendTestDelivery, settings: CueSettings, meta: Meta, now: datetime) -> Facts:
    return Facts(
        id=new_uuid(),
        account_id=command.account_id,
        cue_id=command.cue_id,
        transport=Transport.WEBHOOK,
        triggered_by="test",
        scheduled_for=now,
        payload=settings.payload,
        created_at=now,
        updated_at=now,
        traceparent=meta.traceparent,
        attempts=1,
    )


def _response(got: Response) -> ResponseGot:
    body, cut = _shown(got.body)
    return ResponseGot(
        status=got.status, headers=dict(got.headers), body=body, cut=cut or not got.body_complete
    )


def _shown(body: bytes) -> tuple[str, bool]:
    return body[:KEPT_BYTES].decode("utf-8", "replace"), len(body) > KEPT_BYTES

"""Commands that the api decides itself, on the account's stream and the api's own tables."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from starlette.responses import Response

from libs.events.accounts import CATEGORY
from libs.events.base import Event
from libs.events.envelope import Idempotency, Reply
from libs.events.unit import StoredResult
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Conflict
from services.api.adapters.mail import Mail
from services.api.errors import ApiError
from services.api.routes.call import Call
from services.api.routes.gate import add_header
from services.api.routes.operation import answer
from services.api.routes.ports import Unit

_SEALED_FOR = "answer"


class Decided(NamedTuple):
    """What was decided: the answer, what goes on the account's stream, and who is told of it."""

    body: Any
    status: int = 200
    events: Sequence[Event] = ()
    mails: Sequence[Mail] = ()


class _Kept(msgspec.Struct):
    # The answer may hold a new key or secret: so it is kept sealed.
    status: int
    sealed: str


async def decide(call: Call[Any, Any], work: Callable[[Unit], Awaitable[Decided]]) -> Response:
    """Do `work` in one transaction with the account locked, once for its `Idempotency-Key`.

    What `work` raises rolls everything back. Mails go out when all is committed.
    """
    key = call.idempotency()
    async with call.ports.log.transaction() as unit:
        await unit.lock(CATEGORY, [call.account_id])
        if unit.state(CATEGORY, call.account_id) is None:
            raise ApiError("invalid_session", "the account is gone")
        if key is not None and (before := await _before(call, unit, key)) is not None:
            return before
        decided = await work(unit)
        if decided.events:
            unit.record(CATEGORY, call.account_id, call.account_id, decided.events, call.meta())
        if key is not None:
            unit.answer(_kept(call, decided, key))
    for mail in decided.mails:
        call.ports.mailer.post(mail)
    return answer(decided.body, decided.status)


async def once(call: Call[Any, Any], work: Callable[[], Awaitable[Any]]) -> Response:
    """Answer with what `work` gives: once for its `Idempotency-Key`, and in no transaction.

    Of two that are sent at the same time both may work; both get what the first one kept.
    """
    key = call.idempotency()
    if key is None:
        return answer(await work())
    async with call.ports.log.transaction() as unit:
        if (before := await _before(call, unit, key)) is not None:
            return before
    body = await work()
    try:
        async with call.ports.log.transaction() as unit:
            unit.answer(_kept(call, Decided(body), key))
    except Conflict:
        async with call.ports.log.transaction() as unit:
            if (before := await _before(call, unit, key)) is not None:
                return before
        raise
    return answer(body)


async def _before(call: Call[Any, Any], unit: Unit, once: Idempotency) -> Response | None:
    stored = await unit.stored_results([], [(call.account_id, once.key)])
    if not stored:
        return None
    if stored[0].request_hash != once.request_hash:
        message = "this idempotency key was used with another body; use a new key"
        raise ApiError("idempotency_key_conflict", message)
    kept = msgspec.json.decode(bytes(stored[0].reply.answer), type=_Kept)
    body = call.ports.keyring.open(call.account_id, _SEALED_FOR, base64.b64decode(kept.sealed))
    add_header(call.request, "Idempotent-Replayed", "true")
    return answer(msgspec.Raw(body), kept.status)


def _kept(call: Call[Any, Any], decided: Decided, once: Idempotency) -> StoredResult:
    plain = msgspec.json.encode(decided.body)
    sealed = base64.b64encode(call.ports.keyring.seal(call.account_id, _SEALED_FOR, plain))
    command_id = new_uuid()
    kept = msgspec.json.encode(_Kept(status=decided.status, sealed=sealed.decode()))
    return StoredResult(
        command_id=command_id,
        account_id=call.account_id,
        reply=Reply(command_id=command_id, answer=msgspec.Raw(kept)),
        idempotency_key=once.key,
        request_hash=once.request_hash,
    )

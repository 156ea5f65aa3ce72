"""One endpoint as data: method, path, what it takes and answers; and the way in, the same for all.

A handler is only called with a request that was let in and has the right shape.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from libs.events.base import Command, Value
from libs.events.envelope import Idempotency, Meta
from libs.runtime.ids import new_trace_parent
from services.api.routes.documents import Access, Documented, described
from services.api.routes.gate import Gate, add_header
from services.api.routes.intake import B, Q, fingerprint, read_body, read_json, shaped
from services.api.routes.ports import Ports
from services.api.tables.admission import Admission

REQUEST_ID = "cueapi.request_id"

A = TypeVar("A", bound=Value)

_TRACE_PARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_WITH_BODY = frozenset({"POST", "PATCH", "PUT"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Call(Generic[B, Q]):
    """A request that was let in and has the right shape. `admission` is None on public routes."""

    request: Request
    ports: Ports
    gate: Gate
    admission: Admission | None
    body: B
    query: Q
    document: Any = field(repr=False)

    @property
    def caller(self) -> Admission:
        """Who asks."""
        assert self.admission is not None, "a public route has no caller"
        return self.admission

    @property
    def account_id(self) -> str:
        """The account that asks."""
        return self.caller.account_id

    def path(self, name: str) -> str:
        """A part of the path, as it was sent."""
        return str(self.request.path_params[name])

    def meta(self) -> Meta:
        """What goes around the messages that this request causes."""
        sent = self.request.headers.get("traceparent", "")
        return Meta(
            correlation_id=self.request.scope[REQUEST_ID],
            actor=self._actor(),
            traceparent=sent if _TRACE_PARENT.fullmatch(sent) else new_trace_parent(),
        )

    async def ask(
        self, command: Command, answer: type[A], *, once: Idempotency | None = None
    ) -> tuple[A, bool]:
        """Have a command done by its owner; give its answer, and whether it was given before.

        `once` makes it happen once; without it, the `Idempotency-Key` header does.
        Raises `Refused` and `Unanswered`.
        """
        given, replayed = await self.ports.bus.ask_with_meta(
            command, meta=self.meta(), idempotency=once or self._idempotency()
        )
        assert isinstance(given, answer), f"{type(command).__name__} was answered {given!r}"
        if replayed:
            add_header(self.request, "Idempotent-Replayed", "true")
        return given, replayed

    def _actor(self) -> str:
        if self.admission is None:
            return "public"
        return f"key:{self.admission.key_id}" if self.admission.key_id else "session"

    def _idempotency(self) -> Idempotency | None:
        key = self.request.headers.get("idempotency-key")
        if key is None:
            return None
        scope = f"{self.request.method} {self.request.scope['path']}"
        return Idempotency(key=f"{scope} {key}", request_hash=fingerprint(self.document))


Handler = Callable[[Call[B, Q]], Awaitable[Response]]


class Operations:
    """The endpoints of one resource."""

    def __init__(self, tag: str) -> None:
        self.router = APIRouter(tags=[tag])

    def add(
        self,
        method: str,
        path: str,
        *,
        body: type[B],
        query: type[Q],
        answers: Mapping[int, type[msgspec.Struct] | None],
        access: Access = Access.ACCOUNT,
        too_large: str = "request_too_large",
    ) -> Callable[[Handler[B, Q]], Handler[B, Q]]:
        """Declare an endpoint. `answers` gives the model of each 2xx status, the usual first."""
        document = Documented(method, path, body, query, answers, access)

        def register(handler: Handler[B, Q]) -> Handler[B, Q]:
            async def endpoint(request: Request) -> Response:
                ports, gate = request.app.state.ports, request.app.state.gate
                raw = await read_body(request, too_large)
                admission = await _let_in(gate, request, access)
                sent = read_json(raw) if method in _WITH_BODY else None
                in_shape = shaped(request, raw, sent, body, query)
                return await handler(
                    Call(
                        request=request,
                        ports=ports,
                        gate=gate,
                        admission=admission,
                        body=in_shape[0],
                        query=in_shape[1],
                        document=sent,
                    )
                )

            self.router.add_api_route(
                path,
                endpoint,
                methods=[method],
                name=handler.__name__,
                operation_id=handler.__name__,
                description=handler.__doc__,
                status_code=next(iter(answers)),
                response_model=None,
                response_class=Response,
                openapi_extra=described(document),
            )
            return handler

        return register


async def _let_in(gate: Gate, request: Request, access: Access) -> Admission | None:
    if access is Access.ACCOUNT:
        return await gate.admit(request)
    if access is Access.STRANGERS:
        gate.admit_stranger(request)
    return None


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a wire model."""
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        headers=dict(headers) if headers else None,
        media_type="application/json",
    )

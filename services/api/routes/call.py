"""A request that was let in and has the right shape, as the handlers get it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from starlette.requests import Request

from libs.events.base import Command, Value
from libs.events.envelope import Idempotency, Meta
from services.api.errors import REQUEST_ID, TRACE_PARENT
from services.api.routes.gate import Gate, add_header
from services.api.routes.intake import B, Q, fingerprint
from services.api.routes.ports import Ports
from services.api.tables.admission import Admission

A = TypeVar("A", bound=Value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Call(Generic[B, Q]):
    """A request in shape. `admission` is None on public routes; `document` is the body as sent."""

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
        return Meta(
            correlation_id=self.request.scope[REQUEST_ID],
            actor=self._actor(),
            traceparent=self.request.scope[TRACE_PARENT],
        )

    async def ask(
        self, command: Command, answer: type[A], *, once: Idempotency | None = None
    ) -> tuple[A, bool]:
        """Have a command done by its owner; give its answer, and whether it was given before.

        `once` makes it happen once; without it, the `Idempotency-Key` header does.
        Raises `Refused` and `Unanswered`.
        """
        given, replayed = await self.ports.bus.ask_with_meta(
            command, meta=self.meta(), idempotency=once or self.idempotency()
        )
        assert isinstance(given, answer), f"{type(command).__name__} was answered {given!r}"
        if replayed:
            add_header(self.request, "Idempotent-Replayed", "true")
        return given, replayed

    def idempotency(self) -> Idempotency | None:
        """The `Idempotency-Key` header, scoped to method and path; None without one."""
        key = self.request.headers.get("idempotency-key")
        if key is None:
            return None
        scope = f"{self.request.method} {self.request.scope['path']}"
        return Idempotency(key=f"{scope} {key}", request_hash=fingerprint(self.document))

    def _actor(self) -> str:
        if self.admission is None:
            return "public"
        return f"key:{self.admission.key_id}" if self.admission.key_id else "session"

"""One endpoint as data: method, path, what it takes and answers; and the way in, the same for all.

A handler is only called with a request that was let in and has the right shape.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from services.api.routes.call import Call
from services.api.routes.gate import Gate
from services.api.routes.intake import B, Q, read_body, read_json, shaped
from services.api.routes.ports import Ports
from services.api.tables.admission import Admission

WITH_BODY = frozenset({"POST", "PATCH"})

Reads = Callable[[bytes], Any]
Handler = Callable[[Call[B, Q]], Awaitable[Response]]
Answers = Mapping[int, type[msgspec.Struct] | None]


TOKEN_CODES = (
    "invalid_api_key",
    "key_rotated",
    "key_revoked",
    "session_expired",
    "invalid_session",
)


class Page(msgspec.Struct):
    """Stands for an HTML page among the answers of an endpoint."""


class Streamed(msgspec.Struct):
    """What an endpoint answers as server-sent events, each of which has this in its `data`."""


class Access(Enum):
    """Who may call: an account; everybody, limited by address; everybody, always."""

    ACCOUNT = "account"
    STRANGERS = "strangers"
    OPEN = "open"


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation(Generic[B, Q]):
    """An endpoint. `answers` gives the model of each of its own statuses, the usual one first;
    `codes` are the refusals that are its own; `too_large` is the code for a body over 2 MiB;
    `reads` takes a body apart.
    """

    method: str
    path: str
    tag: str
    body: type[B]
    query: type[Q]
    answers: Answers
    codes: Sequence[str]
    access: Access
    too_large: str
    reads: Reads
    handler: Handler[B, Q]

    def refusals(self) -> Iterator[str]:
        """Every code with which this endpoint may refuse: its own, and those of the way in."""
        yield from self.codes
        yield from (self.too_large, "validation_error", "internal_error", "service_unavailable")
        if self.method in WITH_BODY:
            yield "invalid_json"
        if self.access is not Access.OPEN:
            yield "rate_limit_exceeded"
        if self.access is Access.ACCOUNT:
            yield from TOKEN_CODES
            if self.method != "GET":
                yield "idempotency_key_conflict"

    async def serve(self, request: Request, ports: Ports, gate: Gate) -> Response:
        """Check in the order of contract §1: size, then who, then JSON, then shape; then handle.

        Raises ApiError, and what the ports raise.
        """
        raw = await read_body(request, self.too_large)
        admission = await self._let_in(request, gate)
        document = self.reads(raw) if self.method in WITH_BODY else None
        body, query = shaped(request, raw, document, self.body, self.query)
        call = Call(
            request=request,
            ports=ports,
            gate=gate,
            admission=admission,
            body=body,
            query=query,
            document=document,
        )
        return await self.handler(call)

    async def _let_in(self, request: Request, gate: Gate) -> Admission | None:
        if self.access is Access.ACCOUNT:
            return await gate.admit(request)
        if self.access is Access.STRANGERS:
            gate.admit_stranger(request)
        return None


class Operations:
    """The endpoints of one resource."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self.all: list[Operation[Any, Any]] = []

    def add(
        self,
        method: str,
        path: str,
        *,
        body: type[B],
        query: type[Q],
        answers: Answers,
        codes: Sequence[str] = (),
        access: Access = Access.ACCOUNT,
        too_large: str = "request_too_large",
        reads: Reads = read_json,
    ) -> Callable[[Handler[B, Q]], Handler[B, Q]]:
        """Declare the function below as an endpoint; see `Operation`."""

        def register(handler: Handler[B, Q]) -> Handler[B, Q]:
            operation = Operation(
                method=method,
                path=path,
                tag=self._tag,
                body=body,
                query=query,
                answers=answers,
                codes=codes,
                access=access,
                too_large=too_large,
                reads=reads,
                handler=handler,
            )
            self.all.append(operation)
            return handler

        return register


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a wire model."""
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        headers=dict(headers) if headers else None,
        media_type="application/json",
    )

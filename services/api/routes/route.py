"""An operation as a route of FastAPI: found and documented by it, read and answered by us.

FastAPI's own way into an endpoint solves dependencies and validates what it has parsed; the order
of checks of contract §1 leaves nothing of that for it to do.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from services.api.routes.gate import Gate
from services.api.routes.operation import Operation
from services.api.routes.ports import Ports


class OperationRoute(APIRoute):
    """Serves one operation. A template does not match the paths in `literal`, whatever the method.

    So `/executions/claim` is never the execution named `claim` (contract §1).
    """

    def __init__(
        self,
        operation: Operation[Any, Any],
        ports: Ports,
        gate: Gate,
        literal: Collection[str] = (),
    ) -> None:
        async def serve(request: Request) -> Response:
            return await operation.serve(request, ports, gate)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            response = await serve(Request(scope, receive, send))
            await response(scope, receive, send)

        name = operation.handler.__name__
        super().__init__(
            operation.path,
            serve,
            methods=[operation.method],
            name=name,
            operation_id=name,
            summary=name.replace("_", " ").capitalize(),
            description=operation.handler.__doc__,
            tags=[operation.tag],
            status_code=next(iter(operation.answers)),
            response_class=Response,
        )
        self.app = app
        self._begins, template, _ = operation.path.partition("{")
        self._elsewhere = frozenset(literal if template else ())

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the request is for this route; most are told apart by how the path begins."""
        path = scope["path"]
        if not path.startswith(self._begins) or path in self._elsewhere:
            return Match.NONE, {}
        return super().matches(scope)

"""A receiver of webhooks: what to answer, decided without any web framework, and their adapters.

cueapi = WebhookReceiver(secret)

@app.post("/webhook")
@cueapi.fastapi
async def on_delivery(delivery): ...
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from cueapi.limits import fitted
from cueapi.outcome import Retry, outcome_of
from cueapi.webhooks.delivery import Delivery, delivery_in
from cueapi.webhooks.seen import MemoryStore, SeenStore
from cueapi.webhooks.verify import TOLERANCE_SECONDS, Secrets, is_authentic

if TYPE_CHECKING:
    from flask import Response as FlaskResponse
    from starlette.requests import Request
    from starlette.responses import Response

SECRET_VARIABLE = "CUEAPI_WEBHOOK_SECRET"  # noqa: S105  # the variable's name
BUSY_SECONDS = 30

Handler: TypeAlias = Callable[[Delivery], Any]


@dataclass(frozen=True)
class Answer:
    """What to answer a request: `body` as JSON."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class WebhookReceiver:
    """Verifies deliveries, does each execution once, and answers with its outcome.

    What the handler returns is the outcome, read as a worker's is: None or a dict is success,
    `Outcome.failure(…)` is failure. If it raises, the attempt fails and CueAPI tries again as the
    cue's `retry` says; `Retry(after=…)` also says when. An execution that was done is not done
    again: its outcome is answered from `store`. `secret` is CUEAPI_WEBHOOK_SECRET by default, or
    several. Raises ValueError without one.
    """

    def __init__(
        self,
        secret: Secrets | None = None,
        *,
        store: SeenStore | None = None,
        tolerance: int = TOLERANCE_SECONDS,
    ) -> None:
        self._secret = secret or os.environ.get(SECRET_VARIABLE, "")
        if not self._secret:
            raise ValueError(f"a webhook secret is needed: give secret, or set {SECRET_VARIABLE}")
        self._store = store or MemoryStore()
        self._tolerance = tolerance

    def admit(self, headers: Mapping[str, str], body: bytes) -> Delivery | Answer:
        """Verify and parse a request: a delivery to be done now, or what to answer at once.

        A delivery that is admitted must end in `done` or `failed`.
        """
        if not is_authentic(headers, body, self._secret, tolerance=self._tolerance):
            return Answer(401, {"error": "the signature is missing, wrong or too old"})
        try:
            delivery = delivery_in(headers, body)
        except ValueError as error:
            return Answer(400, {"error": str(error)})
        if delivery.test:
            return delivery
        outcome = self._store.begin(delivery.execution_id)
        if outcome is None:
            return delivery
        if outcome:
            return Answer(200, outcome)
        # An earlier attempt is still at work: its outcome can be fetched by a later one.
        return _come_back(BUSY_SECONDS, "this execution is being worked on")

    def done(self, delivery: Delivery, returned: Any) -> Answer:
        """Answer with what the handler returned."""
        verdict = outcome_of(returned)
        if isinstance(verdict, Retry):
            return self.failed(delivery, verdict)
        outcome = fitted(verdict.body())
        self._store.finish(delivery.execution_id, outcome)
        return Answer(200, outcome)

    def failed(self, delivery: Delivery, raised: BaseException) -> Answer:
        """Answer that it was not done, for another attempt. Raises what was raised, but Retry."""
        self._store.forget(delivery.execution_id)
        if isinstance(raised, Retry):
            return _come_back(max(1, round(raised.after)), "the handler wants to be called again")
        raise raised

    def handle(self, headers: Mapping[str, str], body: bytes, handler: Handler) -> Answer:
        """Do a request with a sync handler. Raises what the handler raises."""
        admitted = self.admit(headers, body)
        if isinstance(admitted, Answer):
            return admitted
        try:
            returned = handler(admitted)
        except BaseException as raised:
            return self.failed(admitted, raised)
        return self.done(admitted, returned)

    async def handle_async(
        self, headers: Mapping[str, str], body: bytes, handler: Handler
    ) -> Answer:
        """Do a request with an async handler, or a sync one that does not block."""
        admitted = self.admit(headers, body)
        if isinstance(admitted, Answer):
            return admitted
        try:
            returned = handler(admitted)
            if isinstance(returned, Awaitable):
                returned = await returned
        except BaseException as raised:
            return self.failed(admitted, raised)
        return self.done(admitted, returned)

    def fastapi(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Make an endpoint of FastAPI or Starlette; a sync handler runs in a thread."""
        from cueapi.webhooks.frameworks import starlette_endpoint

        return starlette_endpoint(self, handler)

    starlette = fastapi

    def flask(self, handler: Handler) -> Callable[[], FlaskResponse]:
        """Make a view of Flask."""
        from cueapi.webhooks.frameworks import flask_view

        return flask_view(self, handler)

    def django(self, handler: Handler) -> Callable[[Any], Any]:
        """Make a view of Django, exempt from its CSRF check: the signature is the check."""
        from cueapi.webhooks.frameworks import django_view

        return django_view(self, handler)


def _come_back(seconds: int, message: str) -> Answer:
    return Answer(503, {"error": message}, {"Retry-After": str(seconds)})

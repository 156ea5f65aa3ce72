"""The demonstration: one cue that fires in seconds, delivered, signed and on record."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from deploy.local.account import Account
from deploy.local.api import ask, content, did_not_work
from deploy.local.receiver import Delivery, Receiver
from deploy.local.waiting import until
from libs.runtime.clock import utc_now

DUE_IN_SECONDS = 3.0
_DELIVERY_SECONDS = 30.0
_OUTCOME_SECONDS = 15.0


@dataclass(frozen=True)
class Demonstration:
    """What was seen: the delivery as the receiver got it, the execution as the API tells it."""

    cue: dict[str, Any]
    delivery: Delivery
    execution: dict[str, Any]
    timeline: list[dict[str, Any]]

    @property
    def lateness(self) -> timedelta:
        """The time from when the cue was due to when the request was there."""
        due = datetime.fromisoformat(self.execution["scheduled_for"])
        return self.delivery.received_at - due


async def demonstrate(
    client: httpx.AsyncClient, account: Account, receiver: Receiver
) -> Demonstration:
    """Make a cue due in three seconds, wait for its delivery and its outcome.

    Raises `StackError` if one of them does not come.
    """

    async def call(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return content(await ask(client, method, path, body, account.api_key))

    due = utc_now() + timedelta(seconds=DUE_IN_SECONDS)
    cue = await call("POST", "/v1/cues", demo_cue(due, receiver.url))
    try:
        async with asyncio.timeout(_DELIVERY_SECONDS):
            delivery = await _delivery_of(cue["id"], receiver)
    except TimeoutError:
        raise did_not_work(f"nothing was delivered within {_DELIVERY_SECONDS:.0f} s") from None
    path = f"/v1/executions/{delivery.headers['X-CueAPI-Execution-Id']}"

    async def has_outcome() -> bool:
        return (await call("GET", path))["outcome_state"] is not None

    try:
        await until(has_outcome, _OUTCOME_SECONDS)
    except TimeoutError:
        raise did_not_work(f"no outcome was on record within {_OUTCOME_SECONDS:.0f} s") from None
    execution = await call("GET", path)
    timeline = await call("GET", f"{path}/timeline")
    return Demonstration(cue, delivery, execution, timeline["events"])


def demo_cue(due: datetime, callback_url: str) -> dict[str, Any]:
    """Return the body that creates the demo's cue; its name tells it from earlier starts'."""
    return {
        "name": f"demo {due:%Y-%m-%d %H:%M:%S}",
        "schedule": {"type": "once", "at": due.isoformat()},
        "callback": {"url": callback_url},
        "payload": {"task": "say_hello"},
    }


async def _delivery_of(cue_id: str, receiver: Receiver) -> Delivery:
    while True:
        delivery = await receiver.deliveries.get()
        if delivery.headers.get("X-CueAPI-Cue-Id") == cue_id:
            return delivery

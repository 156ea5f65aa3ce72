"""What stands before single endpoints: a confirmation, a limit of their own."""

from __future__ import annotations

from typing import Any

from services.api.errors import ApiError
from services.api.routes.call import Call
from services.api.routes.ports import Unit
from services.api.routes.windows import whole_seconds
from services.api.tables.windows import Limit, count, count_with

CONFIRMATION = "X-Confirm-Destructive"


def confirmed(call: Call[Any, Any], *, must: bool = False) -> None:
    """Refuse a request whose confirmation says anything but `true`, or with `must` is absent.

    Raises ApiError.
    """
    said = call.request.headers.get(CONFIRMATION.lower())
    if said is None and not must:
        return
    if said is None or said.strip().lower() != "true":
        raise ApiError("confirmation_required", f"send the header {CONFIRMATION}: true")


async def within(
    call: Call[Any, Any], limit: Limit, subject: str, unit: Unit | None = None
) -> None:
    """Count this request against a limit of its own; with `unit`, only if that commits.

    Raises ApiError.
    """
    if not call.ports.rules.enforce_quotas:
        return
    if unit is None:
        wait = await count(call.ports.store, limit, subject)
    else:
        wait = await count_with(unit.connection, limit, subject)
    if wait is not None:
        raise ApiError(
            "rate_limit_exceeded",
            f"more than {limit.most} of these in {limit.seconds} seconds",
            headers={"Retry-After": str(whole_seconds(wait))},
        )

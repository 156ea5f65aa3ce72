"""Resources by their ids; and the order of checks which says that a missing one is told first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from services.api.errors import ApiError
from services.api.queries.cues import CueRow, find_cue
from services.api.queries.executions import ExecutionRow, find_execution
from services.api.routes.call import Call
from services.api.rules.ids import is_cue_id, is_uuid


def cue_id_of(call: Call[Any, Any]) -> str:
    """The cue's id in the path. Raises ApiError when it can't be one."""
    cue_id = call.path("cue_id")
    if not is_cue_id(cue_id):
        raise no_cue()
    return cue_id


def execution_id_of(call: Call[Any, Any]) -> str:
    """The execution's id in the path. Raises ApiError when it can't be one."""
    execution_id = call.path("execution_id")
    if not is_uuid(execution_id):
        raise no_execution()
    return execution_id


async def cue_of(call: Call[Any, Any]) -> CueRow:
    """Read the cue in the path. Raises ApiError."""
    row = await find_cue(call.ports.store, call.account_id, cue_id_of(call))
    if row is None:
        raise no_cue()
    return row


async def execution_of(call: Call[Any, Any]) -> ExecutionRow:
    """Read the execution in the path. Raises ApiError."""
    row = await find_execution(call.ports.store, call.account_id, execution_id_of(call))
    if row is None:
        raise no_execution()
    return row


@asynccontextmanager
async def after_finding(find: Callable[[], Awaitable[Any]]) -> AsyncIterator[None]:
    """Run checks of values; when one refuses, `find` may first raise that the thing is missing.

    So a missing resource is told before a bad value (contract §1), and good values cost no read.
    """
    try:
        yield
    except ApiError:
        await find()
        raise


def no_cue() -> ApiError:
    """No such cue in this account."""
    return ApiError("cue_not_found", "no cue of this account has this id")


def no_execution() -> ApiError:
    """No such execution in this account."""
    return ApiError("execution_not_found", "no execution of this account has this id")

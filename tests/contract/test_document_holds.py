"""Every endpoint does as the OpenAPI document says: a seeded, bounded run for every change.

A longer one: `python -m tests.contract.fuzz --seconds 600 --seed 7`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from libs.events.log import PostgresLog
from services.api.app import RESOURCES
from services.api.routes.streams import stream_events
from tests.contract.fuzzing import fuzz, operations_of
from tests.contract.target import Target, running_target

pytestmark = pytest.mark.integration

# A stream does not end, so that it has no whole answer to hold to the document.
NAMES = [
    operation.handler.__name__
    for resource in RESOURCES
    for operation in resource.all
    if operation.handler is not stream_events
]
EXAMPLES = 3
SEED = 20260328


@pytest.fixture(scope="module")
async def target(postgres_log: PostgresLog) -> AsyncIterator[Target]:
    async with running_target(postgres_log) as running:
        yield running


@pytest.fixture(scope="module")
async def operations(target: Target) -> dict[str, Any]:
    return operations_of(await target.document())


# The server runs beside in the same process; what its threads draw, hypothesis takes for ours.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize("name", NAMES)
async def test_an_endpoint_does_as_its_document_says(
    name: str, operations: dict[str, Any], target: Target
) -> None:
    account = await target.account()
    await asyncio.to_thread(
        fuzz, operations[name], target.url, account, examples=EXAMPLES, seed=SEED
    )

"""What the published clients are told at the limits of a plan (contract §10)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.client import Api
from tests.e2e.world import World, running
from tests.published.programs import CommandLine, Python

pytestmark = pytest.mark.e2e

ENV = {"DISABLE_QUOTA_ENFORCEMENT": "false", "DEFAULT_PLAN": "free"}
CUES, PER_MINUTE = 10, 60


@pytest.fixture(scope="module")
async def limited(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running(tmp_path_factory.mktemp("limits"), env=ENV) as world:
        yield world


@pytest.fixture
async def poor(limited: World) -> Api:
    """A client of an account that has the free plan."""
    return await limited.account()


async def test_one_cue_too_many_and_one_request_too_many(
    limited: World, poor: Api, sdk_programs: Path, cli_programs: Path, tmp_path: Path
) -> None:
    assert poor.key is not None
    sdk = Python(sdk_programs / "python", tmp_path, limited.stack.base_url, poor.key)
    base = f"{limited.stack.base_url}/v1"
    cueapi = CommandLine(cli_programs / "cueapi", tmp_path, base, poor.key)
    told = await sdk(
        """
def make(number):
    client.cues.create(f"cue {number}", at="2040-01-01T00:00:00Z", transport="worker")
for number in range(given["cues"]):
    make(number)
told = refusal(make, -1)
""",
        cues=CUES,
    )
    assert told[:3] == ["CueLimitExceededError", 403, "cue_limit_exceeded"]
    words = ("create", "--name", "more", "--at", "2040-01-01T00:00:00Z", "--worker")
    assert "upgrade" in (await cueapi.refused(*words))
    status, code, seconds = await sdk(
        """
told = None
for _ in range(given["requests"]):
    try:
        client.cues.list(limit=1)
    except cueapi.RateLimitError as error:
        told = [error.status_code, error.code, error.retry_after]
        break
""",
        requests=2 * PER_MINUTE,
    )
    assert (status, code) == (429, "rate_limit_exceeded")
    assert 1 <= seconds <= 60

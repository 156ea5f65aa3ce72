"""The examples of the documentation are run, page by page, as a reader would paste them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from deploy.local.ports import free_port
from services.api.routes.docs import site
from tests.docs.examples import blocks_of, runnable, script_of
from tests.e2e.world import World, running

# Their own tests run them: tests/clients/, tests/deploy/.
_TESTED_ELSEWHERE = ("clients/", "self-hosting/", "reference/", "reliability/")
PAGES = [file for file in site().files if not file.startswith(_TESTED_ELSEWHERE) and runnable(file)]
LONGEST_SECONDS = 90.0


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running(tmp_path_factory.mktemp("docs")) as world:
        yield world


async def run(script: str, folder: Path, **environment: str) -> tuple[int, str]:
    """Run a script, and give its exit code and what it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        script,
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    assert process.returncode is not None
    return process.returncode, printed.decode()


@pytest.mark.e2e
@pytest.mark.parametrize("file", PAGES)
async def test_the_examples_of_a_page_run(stack: World, tmp_path: Path, file: str) -> None:
    account = await stack.account()
    script = script_of(file, tmp_path, stack.stack.base_url, free_port())
    code, printed = await run(
        script,
        tmp_path,
        CUEAPI_API_KEY=str(account.key),
        CUEAPI_BASE_URL=stack.stack.base_url,
    )
    assert code == 0, printed


RECEIVERS = {"python3": "receiver.py", "node": "receiver.mjs"}


@pytest.mark.e2e
@pytest.mark.parametrize("program", [each for each in RECEIVERS if shutil.which(each)])
async def test_a_receiver_tells_genuine_from_forged(tmp_path: Path, program: str) -> None:
    port = free_port()
    script_of("guides/webhooks.md", tmp_path, "http://unused", port)
    url = f"http://localhost:{port}/"
    code, printed = await run(
        f"""
        trap 'kill $(jobs -p)' EXIT
        {program} {RECEIVERS[program]} &
        for _ in $(seq 300); do (: </dev/tcp/127.0.0.1/{port}) 2>/dev/null && break; sleep 0.1; done
        cueapi trigger --url {url} --payload '{{"task": "brief"}}' &&
        cueapi trigger --url {url} --bad-signature && cueapi trigger --url {url} --late
        """,
        tmp_path,
        CUEAPI_WEBHOOK_SECRET="whsec_" + "5e" * 32,
    )
    assert code == 0, printed
    assert printed.count("Right.") == 3


@pytest.mark.parametrize("file", site().files)
def test_data_on_a_page_can_be_read(file: str) -> None:
    for block in blocks_of(file):
        if block.language == "json":
            json.loads(block.code)
        if block.language == "yaml":
            list(yaml.safe_load_all(block.code))


def test_every_page_with_examples_for_readers_is_run() -> None:
    assert {"index.md", "quickstart.md", "guides/webhooks.md", "guides/verification.md"} <= set(
        PAGES
    )

"""What `make run` does, with the services themselves."""

import asyncio
import re
import signal
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.deploy.command import SERVING, children_of, finish, read_until, start, until_gone

pytestmark = pytest.mark.e2e

MODULE = "deploy.local"


async def paste(commands: str) -> tuple[str, str]:
    shell = await asyncio.create_subprocess_exec("sh", stdin=PIPE, stdout=PIPE, stderr=PIPE)
    output, errors = await asyncio.wait_for(shell.communicate(commands.encode()), 30)
    return output.decode(), errors.decode()


async def test_a_delivery_is_shown_the_commands_work_and_a_second_start_finds_it_all(
    tmp_path: Path,
) -> None:
    first = await start("--data-dir", str(tmp_path / "data"), module=MODULE)
    said = await read_until(first, SERVING)
    assert "signature verified" in said
    assert re.search(r"ExecutionScheduled.*AttemptSucceeded.*OutcomeReported", said, re.DOTALL)
    [key] = set(re.findall("cue_sk_[0-9a-f]{32}", said))

    output, errors = await paste(said[said.index("# Make a cue") : said.rindex("\n")])
    assert '"every minute' in errors
    assert '"triggered_by"' in output
    assert '"executions"' in output
    await read_until(first, "delivery received")

    children = children_of(first)
    first.send_signal(signal.SIGINT)
    assert (await finish(first))[0] == 0
    await until_gone(children)

    arguments = ["--data-dir", str(tmp_path / "data"), "--exit-after-demo"]
    second = await start(*arguments, module=MODULE)
    code, said = await finish(second)
    assert code == 0
    assert "signature verified" in said
    assert key in said

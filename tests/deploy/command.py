"""`python -m deploy.local` as a process of its own."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping

import psutil

from deploy.local.ports import free_port
from deploy.local.service import REPOSITORY
from deploy.local.waiting import until

WITH_STAND_INS = "tests.deploy.run_stand_ins"
SERVING = "Ctrl-C stops it"


async def start(
    *arguments: str, env: Mapping[str, str] | None = None, module: str = WITH_STAND_INS
) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        cwd=REPOSITORY,
        env={**os.environ, "PORT": str(free_port()), **(env or {})},
        stdout=PIPE,
        stderr=STDOUT,
    )


async def read_until(process: Process, words: str) -> str:
    assert process.stdout is not None
    read = ""
    async with asyncio.timeout(40):
        while words not in read:
            line = (await process.stdout.readline()).decode()
            assert line, f"it ended without saying {words!r}:\n{read}"
            read += line
    return read


async def finish(process: Process) -> tuple[int, str]:
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode is not None
    return process.returncode, output.decode()


def children_of(process: Process) -> list[psutil.Process]:
    return list(psutil.Process(process.pid).children(recursive=True))


async def until_gone(processes: list[psutil.Process]) -> None:
    async def all_gone() -> bool:
        return not any(_lives(process) for process in processes)

    await until(all_gone, 10)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False

"""`python -m bench [QUESTION ...]`: one run on this machine; a table, and JSON in results/."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from bench import delivery, processes, raw, requests, worker_daemon
from bench.bursts import burst_of_rows
from bench.command_line import command_line
from bench.dispatchers import dispatchers
from bench.endpoints import endpoints
from bench.growing_log import growing_log
from bench.load import Client
from bench.many_accounts import many_accounts
from bench.noisy_neighbour import noisy_neighbour
from bench.one_due_among_many import one_due_among_many
from deploy.local.ports import free_port
from deploy.local.stack import Stack

RESULTS = Path(__file__).parent / "results"
Question = Callable[[Client, Stack], Awaitable[dict[str, Any]]]
console = Console()


async def _raw_posts(client: Client, _: Stack) -> dict[str, Any]:
    rate = await raw.posts_per_second(client.receiver_url + "/raw")
    await client.arrivals()
    return {"per_second": rate}


async def _raw_appends(_: Client, stack: Stack) -> dict[str, Any]:
    return {"per_second": await raw.appends_per_second(stack.database_url)}


def _pids(stack: Stack) -> dict[str, int]:
    return {process.name: process.pid for process in stack.processes if process.running}


async def _processes(_: Client, stack: Stack) -> dict[str, Any]:
    return await processes.idle(_pids(stack))


async def _one_due_among_many(client: Client, stack: Stack) -> dict[str, Any]:
    return await one_due_among_many(client, stack.database_url, _pids(stack))


async def _noisy_neighbour(client: Client, stack: Stack) -> dict[str, Any]:
    [pid] = [process.pid for process in stack.processes if process.name == "dispatcher"]
    return await noisy_neighbour(client, stack.database_url, pid)


QUESTIONS: dict[str, Question] = {
    "raw_posts": _raw_posts,
    "raw_appends": _raw_appends,
    "endpoints": lambda client, stack: endpoints(client, stack.database_url),
    "create_cues": lambda client, _: requests.create_cues(client),
    "burst_1000": lambda client, _: delivery.burst(client, 1_000, 10),
    "executions": lambda client, _: delivery.burst(client, 10_000, 45),
    "steady_50": lambda client, _: delivery.steady(client, 50, 20),
    "noisy_neighbour": _noisy_neighbour,
    "list_executions": lambda client, _: requests.list_executions(client),
    "worker_cycles": lambda client, _: requests.worker_cycles(client),
    "worker_daemon_no_op": lambda _, __: worker_daemon.no_op_handlers(),
    "worker_daemon_commands": lambda _, __: worker_daemon.commands(),
    "worker_daemon_on_the_stack": lambda client, _: worker_daemon.on_the_stack(client),
    "processes": _processes,
    "command_line": lambda *_: command_line(),
    "burst_1k": lambda client, stack: burst_of_rows(client, stack.database_url, 1_000),
    "burst_10k": lambda client, stack: burst_of_rows(client, stack.database_url, 10_000),
    "burst_100k": lambda client, stack: burst_of_rows(client, stack.database_url, 100_000),
    "many_accounts": lambda client, stack: many_accounts(client, stack.database_url),
    "one_due_among_many": _one_due_among_many,
    "growing_log": lambda client, stack: growing_log(client, stack.database_url),
    "dispatchers": lambda _, __: dispatchers(),
}


async def run(names: list[str]) -> dict[str, Any]:
    """Start the stack and a receiver, and answer the questions in order."""
    port = free_port()
    receiver = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.receiver", str(port)
    )
    answers: dict[str, Any] = {"machine": _machine()}
    try:
        with tempfile.TemporaryDirectory() as folder:
            environment = {"DISABLE_QUOTA_ENFORCEMENT": "true", "CUEAPI_LOG_LEVEL": "warning"}
            async with (
                Stack(Path(folder), env=environment) as stack,
                Client(stack.base_url, f"http://127.0.0.1:{port}") as client,
            ):
                for name in names:
                    console.print(f"[dim]{name} ...[/]")
                    answers[name] = await QUESTIONS[name](client, stack)
                    console.print(f"  {json.dumps(answers[name])}")
    finally:
        receiver.terminate()
        await receiver.wait()
    return answers


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": os.getloadavg()[0],
    }


def table(answers: dict[str, Any]) -> Table:
    """Show the answers, with the ratios to the raw limits of this run."""
    shown = Table(title="CueAPI on this machine, one run")
    for column in ("question", "figure", "value"):
        shown.add_column(column, justify="right" if column == "value" else "left")
    for question, figures in answers.items():
        for figure, value in _flat(figures):
            text = f"{value:,.1f}" if isinstance(value, float) else str(value)
            shown.add_row(question, figure, text)
    if "raw_posts" in answers and "executions" in answers:
        ratio = answers["executions"]["per_second"] / answers["raw_posts"]["per_second"]
        shown.add_row("executions", "per raw POST", f"{ratio:.3f}")
    return shown


def _flat(figures: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{within}{name} ")
        else:
            yield f"{within}{name}", value


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("question", nargs="*", choices=[*QUESTIONS, []], default=[])
    names = parser.parse_args().question or list(QUESTIONS)
    answers = uvloop.run(run(names))
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    target.write_text(json.dumps(answers, indent=2))
    console.print(table(answers))
    console.print(f"written to {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

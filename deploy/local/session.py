"""One run of the embedded stack in a terminal: start, demonstrate, serve, stop."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from deploy.local import api
from deploy.local.account import local_account
from deploy.local.demo import DUE_IN_SECONDS, demonstrate
from deploy.local.ports import free_port, is_free
from deploy.local.presentation import addresses, curl_commands, delivery_panel, timeline_table
from deploy.local.programs import CUEAPI, Programs
from deploy.local.receiver import Receiver
from deploy.local.stack import Stack
from deploy.local.terminal import Terminal
from libs.runtime.clock import monotonic

RECEIVER_PORT = 9000
_SAME_PRESS_SECONDS = 1.0


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    data_dir: Path
    port: int
    demo: bool = True
    raw_logs: bool = False
    exit_after_demo: bool = False


async def run(options: Options, terminal: Terminal, programs: Programs = CUEAPI) -> None:
    """Start the stack, demonstrate it, and serve until cancelled by Ctrl-C or SIGTERM.

    Raises `StackError` when something cannot start or keeps crashing; whatever happens,
    all that was started is stopped.
    """
    stack = Stack(
        options.data_dir,
        port=options.port,
        env={"CUEAPI_CANARY": os.environ.get("CUEAPI_CANARY", "true")},
        programs=programs,
        on_line=terminal.on_line,
        on_step=terminal.step,
    )
    _stop_on_signals(stack, terminal)
    await stack.start()
    try:
        async with AsyncExitStack() as resources:
            if options.demo:
                with terminal.logs_on_error():
                    await _demonstrate(stack, terminal, resources)
            if not options.demo:
                terminal.show_verbatim(f"Mail is on {stack.mail.page_url}\n")
            if not options.exit_after_demo:
                terminal.stream_logs(f"CueAPI runs on {stack.base_url}; Ctrl-C stops it")
                await stack.failed()
    finally:
        with terminal.step("Stopping everything"):
            await stack.stop()


async def _demonstrate(stack: Stack, terminal: Terminal, resources: AsyncExitStack) -> None:
    """Show one delivery, to a receiver that stays open as long as `resources`."""
    client = await resources.enter_async_context(api.client(stack.base_url))
    with terminal.step("Looking for the local account"):
        account = await local_account(stack.folder.account, client)
        answer = await api.ask(client, "GET", "/v1/auth/webhook-secret", key=account.api_key)
    port = RECEIVER_PORT if is_free(RECEIVER_PORT) else free_port()
    secret = api.content(answer)["webhook_secret"]
    receiver = await resources.enter_async_context(Receiver(secret, port, terminal.on_line))
    with terminal.step(f"Waiting for a cue that is due in {DUE_IN_SECONDS:.0f} s"):
        seen = await demonstrate(client, account, receiver)
    terminal.show(delivery_panel(seen), timeline_table(seen))
    terminal.show(addresses(stack.base_url, receiver.url, stack.mail.page_url, account))
    terminal.show_verbatim(curl_commands(stack.base_url, receiver.url, account, seen))


def _stop_on_signals(stack: Stack, terminal: Terminal) -> None:
    """Cancel this task on the first Ctrl-C, SIGTERM or SIGHUP; kill everything on a later one."""
    task = asyncio.current_task()
    assert task is not None
    first: list[float] = []

    def stop(received: signal.Signals) -> None:
        if received is signal.SIGHUP:
            terminal.silence()
        if not first:
            first.append(monotonic())
            task.cancel()
        # One press may arrive twice: from the terminal, and passed on by `uv run`.
        elif monotonic() - first[0] > _SAME_PRESS_SECONDS:
            stack.kill_now()

    for received in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(received, stop, received)

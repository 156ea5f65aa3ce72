"""A program that the stack starts, stops and kills, perhaps many times over."""

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, Signals

from deploy.local.privileges import wrapped
from deploy.local.waiting import until

OnLine = Callable[[str, str], None]
"""Takes the name of a process and one line of its output."""

KEPT_LINES = 5_000
LAST_WORDS = 50
_LONGEST_LINE = 64 * 1024
_LAST_WORDS_SECONDS = 2.0


def discard(_name: str, _line: str) -> None:
    """Take a line of output and do nothing with it."""


class DidNotStartError(Exception):
    """The program ended, or time ran out, before it was ready."""


class ManagedProcess:
    """One named program in its own process group, and what it wrote.

    `lines` are the latest of all its lives, `last_words` those of the present one.
    Subclasses say how to start it. However it ends, its output is read to the end
    first. When this process dies without stopping it, the kernel ends it (on Linux).
    """

    stop_signal: Signals = SIGTERM
    orphan_signal: Signals = SIGKILL

    def __init__(self, name: str, on_line: OnLine = discard) -> None:
        self.name = name
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._on_line = on_line
        self._process: Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._ready = False
        self._crashes: asyncio.Queue[int] = asyncio.Queue()

    @property
    def pid(self) -> int:
        """The process id of the running program, or of the last one that ran."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the program runs now (a paused one does)."""
        return self._process is not None and self._process.returncode is None

    @property
    def up(self) -> bool:
        """Whether the program runs, is ready, and was not told to end."""
        return self.running and self._ready

    async def died(self) -> int:
        """Wait until the program, once ready, ends untold; return its exit code.

        Each such end is reported once. The code is negative for a signal.
        """
        return await self._crashes.get()

    async def ended(self) -> int:
        """Wait until the program has ended, for whatever reason; return its exit code."""
        assert self._process is not None, f"{self.name} was never started"
        code = await self._process.wait()
        await self._watched()
        return code

    async def stop(self, grace: float = 10.0) -> None:
        """Ask the program to end; after `grace` seconds kill it. Nothing if it is not running."""
        self._ready = False
        self._signal(self.stop_signal)
        self._signal(SIGCONT)
        try:
            await asyncio.wait_for(self._watched(), grace)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """Kill the program and its process group, and wait until it is gone."""
        self.kill_now()
        await self._watched()

    def kill_now(self) -> None:
        """Kill the process group without waiting for its end."""
        self._ready = False
        self._signal_group(SIGKILL)

    def pause(self) -> None:
        """Freeze the program where it stands."""
        self._signal_group(SIGSTOP)

    def resume(self) -> None:
        """Let a paused program go on."""
        self._signal_group(SIGCONT)

    async def run(
        self,
        argv: list[str],
        env: Mapping[str, str],
        cwd: Path,
        timeout: float,
        not_root_in: Path | None = None,
    ) -> int:
        """Run a program that ends by itself and return its exit code.

        It is killed after `timeout` seconds, and when this is cancelled. For `not_root_in`
        see `privileges`.
        """
        await self._launch(argv, env, cwd, not_root_in)
        try:
            await asyncio.wait_for(self._watched(), timeout)
        except TimeoutError:
            self._say(f"{self.name} did not end within {timeout:.0f} s")
        finally:
            await self.kill()
        return await self.ended()

    async def _launch(
        self,
        argv: list[str],
        env: Mapping[str, str],
        cwd: Path,
        not_root_in: Path | None = None,
    ) -> None:
        assert not self.running, f"{self.name} is running already"
        self._ready = False
        self.last_words.clear()
        self._process = await asyncio.create_subprocess_exec(
            *wrapped(argv, self.orphan_signal, not_root_in),
            env=dict(env),
            cwd=cwd,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            start_new_session=True,
        )
        self._watch = asyncio.create_task(self._watch_until_end(self._process))

    async def _wait_until_ready(
        self, is_ready: Callable[[], Awaitable[bool]], seconds: float
    ) -> None:
        """Wait until the program that was launched is ready.

        Raises `DidNotStartError` if it ends before, or after `seconds`; then it is killed.
        """

        async def ended_or_ready() -> bool:
            return not self.running or await is_ready()

        try:
            await until(ended_or_ready, seconds)
        except TimeoutError:
            self._say(f"{self.name} was not ready within {seconds:.0f} s")
            await self.kill()
        if not self.running:
            raise DidNotStartError(f"{self.name} ended with code {await self.ended()}")
        self._ready = True

    async def _watched(self) -> None:
        if self._watch is not None:
            await asyncio.shield(self._watch)

    async def _watch_until_end(self, process: Process) -> None:
        assert process.stdout is not None
        reading = asyncio.create_task(self._read(process.stdout))
        code = await process.wait()
        # Bounded: a grandchild that outlives the program may hold its output open.
        await asyncio.wait({reading}, timeout=_LAST_WORDS_SECONDS)
        reading.cancel()
        if self._ready:
            self._crashes.put_nowait(code)

    async def _read(self, output: asyncio.StreamReader) -> None:
        async for line in _lines(output):
            self._say(line)

    def _say(self, line: str) -> None:
        self.lines.append(line)
        self.last_words.append(line)
        self._on_line(self.name, line)

    def _signal(self, signal: Signals) -> None:
        if self.running:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal)

    def _signal_group(self, signal: Signals) -> None:
        if self.running:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal)


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """Yield the lines of `stream`, over-long ones in pieces, the last even if unfinished."""
    rest = b""
    while chunk := await stream.read(_LONGEST_LINE):
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            whole, rest = [*whole, rest], b""
        for line in whole:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")

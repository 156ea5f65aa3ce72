"""Running a command to its end, or to ours: in a process group of its own."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import IO, Final, TypeAlias

from cueapi_worker.command import Command

KILL_AFTER: Final = 10.0
_REAPING: Final = 5.0
_KEPT_BYTES: Final = 64 * 1024
_CHUNK: Final = 64 * 1024
_LOOK: Final = 0.2


@dataclass(frozen=True)
class Exited:
    """The command ended by itself."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class TimedOut:
    """The command was stopped because it took too long."""

    seconds: float


@dataclass(frozen=True)
class Stopped:
    """The command was stopped because its work is no longer wanted from here."""


@dataclass(frozen=True)
class NotStarted:
    """The command could not be started."""

    reason: str


End: TypeAlias = "Exited | TimedOut | Stopped | NotStarted"


class StopSign:
    """Tells a running command to stop, from any thread; a context, because it holds a pipe."""

    def __init__(self) -> None:
        self.fd, self._write = os.pipe()
        self.is_set = False
        self._closed = False
        self._lock = Lock()

    def set(self) -> None:
        """Have the command stopped."""
        with self._lock:
            if not self.is_set and not self._closed:
                self.is_set = True
                os.write(self._write, b"!")

    def __enter__(self) -> StopSign:
        """Keep the pipe."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the pipe; setting it has no effect any more."""
        with self._lock:
            self._closed = True
            os.close(self.fd)
            os.close(self._write)


def run(command: Command, timeout: float, stop: StopSign, kill_after: float = KILL_AFTER) -> End:
    """Run a command; after `timeout` seconds, or at the stop sign, stop all of its processes.

    They get SIGTERM, and SIGKILL `kill_after` seconds later. Blocks until they are gone.
    """
    try:
        process = subprocess.Popen(  # noqa: S603  # the command is the operator's own
            command.argv,
            env={**os.environ, **command.env},
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return NotStarted(str(error))
    with process, _Output(process) as output:
        deadline = monotonic() + timeout
        if output.ends(deadline, stop) and _exits(process, deadline, stop):
            return Exited(process.returncode, output.stdout, output.stderr)
        _stop(process, output, kill_after)
    return Stopped() if stop.is_set else TimedOut(timeout)


class _Output:
    """The head of what a process writes; the rest is read and thrown away."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._selector = selectors.DefaultSelector()
        self._kept = {pipe: bytearray() for pipe in _pipes(process)}
        for pipe in self._kept:
            self._selector.register(pipe, selectors.EVENT_READ)
        self._open = len(self._kept)

    @property
    def stdout(self) -> str:
        return self._text(0)

    @property
    def stderr(self) -> str:
        return self._text(1)

    def ends(self, deadline: float, stop: StopSign | None = None) -> bool:
        """Read to the end; false if the deadline or the stop sign comes first."""
        # To the end, not to the exit: what the command left behind may still be working.
        if stop is not None:
            self._selector.register(stop.fd, selectors.EVENT_READ)
        try:
            while self._open:
                ready = self._selector.select(max(0.0, deadline - monotonic()))
                if not ready or (stop is not None and stop.is_set):
                    return False
                for key, _ in ready:
                    self._read(key)
            return True
        finally:
            if stop is not None:
                self._selector.unregister(stop.fd)

    def _read(self, key: selectors.SelectorKey) -> None:
        kept = self._kept.get(key.fileobj)  # type: ignore[call-overload]
        if kept is None:
            return
        chunk = os.read(key.fd, _CHUNK)
        kept += chunk[: _KEPT_BYTES - len(kept)]
        if not chunk:
            self._selector.unregister(key.fileobj)
            self._open -= 1

    def _text(self, number: int) -> str:
        return list(self._kept.values())[number].decode("utf-8", "replace")

    def __enter__(self) -> _Output:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._selector.close()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdout is None or process.stderr is None:
        raise AssertionError("the process was started with pipes")
    return process.stdout, process.stderr


def _exits(process: subprocess.Popen[bytes], deadline: float, stop: StopSign | None = None) -> bool:
    while monotonic() < deadline and not (stop is not None and stop.is_set):
        try:
            process.wait(_LOOK)
        except subprocess.TimeoutExpired:
            continue
        return True
    return False


def _stop(process: subprocess.Popen[bytes], output: _Output, patience: float) -> None:
    _signal(process.pid, signal.SIGTERM)
    deadline = monotonic() + patience
    if output.ends(deadline):
        _exits(process, deadline)
    # Also when the leader has gone: a child of it may ignore SIGTERM.
    _signal(process.pid, signal.SIGKILL)
    # What made a session of its own may hold the output for ever: nobody waits long for that.
    output.ends(monotonic() + _REAPING)


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # all of them have ended by themselves

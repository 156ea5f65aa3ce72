"""What a failed start means to the person who started it: pure functions over output."""

import errno
import re
import signal
from collections.abc import Iterable
from pathlib import Path

from deploy.local.errors import StackError

SHOWN_LINES = 15


def disk_full(folder: Path) -> StackError:
    """Return the error for a disk without room."""
    return StackError(
        f"The disk that holds {folder} is full.",
        "Free some space (1 GB is plenty) and start again; what was committed is kept.",
    )


def no_permission(folder: Path) -> StackError:
    """Return the error for a folder that we may not read or write."""
    return StackError(
        f"No permission to use {folder}.",
        "Start as the user who owns it, or choose another folder with --data-dir.",
    )


def broken_folder(folder: Path, why: str) -> StackError:
    """Return the error for a folder that is not, or no longer, a usable database."""
    return StackError(
        f"{folder} is not a usable Postgres data folder: {why}.",
        f"Move it away (`mv {folder} {folder}.broken`) and start again with an empty one,"
        " or choose another folder with --data-dir.",
    )


def in_use(folder: Path, pid: int) -> StackError:
    """Return the error for a data folder on which Postgres runs already, as process `pid`."""
    return StackError(
        f"Another Postgres (process {pid}) is running on {folder}.",
        f"Stop the stack that uses it (or `kill -INT {pid}`), or choose another folder"
        " with --data-dir.",
    )


def of_os_error(error: OSError, folder: Path) -> StackError:
    """Return the error for a failed operation on `folder` or a file in it."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return disk_full(folder)
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return no_permission(folder)
        case _:
            return StackError(
                f"{folder} cannot be used: {error.strerror}.",
                "Choose another folder with --data-dir.",
            )


def of_output(name: str, output: Iterable[str], folder: Path) -> StackError:
    """Return the error for a program that did not start, from the last lines it wrote."""
    lines = list(output)
    return _known_cause(name, lines, folder) or StackError(
        f"{name} did not start. Its last lines:\n{tail(lines)}",
        "Remove the cause that the lines name and start again.",
    )


def of_crashes(
    name: str, restarts: int, code: int, output: Iterable[str], folder: Path
) -> StackError:
    """Return the error for a program that died again after `restarts` restarts in a minute."""
    lines = list(output)
    return _known_cause(name, lines, folder) or StackError(
        f"{name} keeps crashing: {restarts} restarts within a minute did not help; it ended"
        f" with {_exit_words(code)}. Its last lines:\n{tail(lines)}",
        f"Everything was stopped, the data is kept in {folder}."
        " Remove the cause that the lines name and start again.",
    )


def _exit_words(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _known_cause(name: str, lines: list[str], folder: Path) -> StackError | None:
    text = "\n".join(lines)
    if "No space left on device" in text or "Check free disk space" in text:
        return disk_full(folder)
    if "Permission denied" in text or "wrong ownership" in text:
        return no_permission(folder)
    if "has invalid permissions" in text:
        return StackError(
            f"The file system that holds {folder} does not keep permissions, which Postgres needs.",
            "Choose a folder on another one with --data-dir.",
        )
    if re.search("[Aa]ddress already in use", text):
        return StackError(
            f"A port that {name} needs was taken in the meantime.",
            "Start again; if you have chosen the port, choose another one.",
        )
    if name == "postgres" and (broken := re.search(_BROKEN, text)):
        return broken_folder(folder, broken[0])
    return None


_BROKEN = (
    r"could not (?:open|read|stat) (?:file|directory) \"[^\"]*\"[^\n]*"
    r"|could not locate a valid checkpoint record[^\n]*"
    r"|invalid checkpoint record[^\n]*"
    r"|could not find the database system[^\n]*"
    r"|database files are incompatible[^\n]*"
    r"|incorrect checksum in control file[^\n]*"
    r"|is not a valid data directory[^\n]*"
)


def tail(lines: Iterable[str]) -> str:
    """Return the last lines that say something, indented, for a message."""
    said = [line for line in lines if line.strip()] or ["(it wrote nothing)"]
    return "\n".join(f"    {line}" for line in said[-SHOWN_LINES:])

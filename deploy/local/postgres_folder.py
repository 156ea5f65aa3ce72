"""What is in a Postgres data folder, and who uses it."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.local.errors import StackError
from deploy.local.failures import broken_folder, no_permission, of_os_error

VERSION = "18"
_LONGEST_SOCKET_PATH = 103  # macOS; Linux takes 107


@dataclass(frozen=True)
class Postmaster:
    """The server that runs on a data folder."""

    pid: int
    status: str  # `starting`, `ready` or `stopping`


def refuse_if_unusable(folder: Path) -> None:
    """Raise `StackError` if `folder` is there but no server of ours can run on it."""
    try:
        if not folder.exists() or not any(folder.iterdir()):
            return
        version = (folder / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise broken_folder(folder, "it holds files, but no database") from None
    except OSError as error:
        raise of_os_error(error, folder) from error
    if version != VERSION:
        raise StackError(
            f"{folder} was made by Postgres {version or '(unreadable)'}; this is {VERSION}.",
            f"Move it away (`mv {folder} {folder}.{version or 'broken'}`) and start again,"
            " or choose another folder with --data-dir.",
        )
    if os.geteuid() not in (0, folder.stat().st_uid):
        raise no_permission(folder)
    if not password_file(folder).exists():
        raise broken_folder(folder, f"{password_file(folder).name} is missing")


def postmaster(folder: Path) -> Postmaster | None:
    """Return the live server that holds `folder`; None if there is none or only its traces."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
        server = Postmaster(pid=int(lines[0]), status=lines[-1].strip())
    except (FileNotFoundError, IndexError, ValueError):
        return None
    return server if _is_postgres_on(folder, server.pid) else None


def _is_postgres_on(folder: Path, pid: int) -> bool:
    """Say whether process `pid` is the server, not a stranger that got its number later."""
    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and Path(process.cwd()) == folder.resolve()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def remove_traces(folder: Path) -> None:
    """Remove the lock files that a server which no longer lives left behind.

    Postgres does so itself, unless a stranger has got the old server's number since.
    """
    (folder / "postmaster.pid").unlink(missing_ok=True)
    for trace in socket_folder(folder).glob(".s.PGSQL.*"):
        trace.unlink(missing_ok=True)


def password_file(folder: Path) -> Path:
    """Return where the password of the server's one user is kept."""
    return folder / "cueapi.password"


def socket_folder(folder: Path) -> Path:
    """Return where the server's unix socket goes: its data folder, unless the path is too long."""
    if len(os.fsencode(folder / ".s.PGSQL.65535")) <= _LONGEST_SOCKET_PATH:
        return folder
    digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]
    return Path("/tmp") / f"cueapi-{digest}"  # noqa: S108 - it has to be short, and is ours alone


def make_socket_folder(folder: Path) -> None:
    """Make the folder for the unix socket, for us alone.

    Raises `StackError` if somebody else made it first.
    """
    socket = socket_folder(folder)
    if socket == folder:
        return
    socket.mkdir(mode=0o700, exist_ok=True)
    if socket.is_symlink() or socket.stat().st_uid != os.geteuid():
        raise StackError(
            f"{socket}, where the socket of Postgres has to go, belongs to another user.",
            "Use a data folder with a shorter path (--data-dir), so that it is not needed.",
        )

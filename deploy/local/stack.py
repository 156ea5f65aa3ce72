"""Postgres, nats-server and the services, started, kept alive and stopped together."""

import asyncio
import json
import os
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from itertools import chain
from pathlib import Path
from typing import NoReturn, Self

from deploy.local.data_folder import DataFolder
from deploy.local.environment import kept_secrets, service_environment
from deploy.local.errors import StackError
from deploy.local.failures import of_output
from deploy.local.mail import MailSink
from deploy.local.nats import LocalNats
from deploy.local.ports import LOOPBACK, free_port, is_free
from deploy.local.postgres import LocalPostgres
from deploy.local.processes import ManagedProcess, OnLine, discard
from deploy.local.programs import CUEAPI, Programs
from deploy.local.service import REPOSITORY, Service
from deploy.local.supervisor import RESTART_WAITS, Member, keep_alive

_PREPARATION_SECONDS = 120.0
_GRACE_SECONDS = 10.0

OnStep = Callable[[str], AbstractContextManager[object]]
"""Takes what is being done next, and gives a context that lasts as long as that does."""


class Stack:
    """The whole system on one data folder; `async with` starts and stops it.

    `port` is the API's (a free one if None); `env` goes over the services' environment;
    `replicas` says how many processes a service gets where it is not one. `mail` takes all mail
    and shows it on a page. Starting raises `StackError`, and leaves nothing running then. What
    crashes is started again; see `failed`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        fsync: bool = True,
        env: Mapping[str, str] | None = None,
        replicas: Mapping[str, int] | None = None,
        programs: Programs = CUEAPI,
        restart_waits: Sequence[float] = RESTART_WAITS,
        on_line: OnLine = discard,
        on_step: OnStep = nullcontext,
    ) -> None:
        self.folder = DataFolder(data_dir)
        self.port = port or free_port()
        self.base_url = f"http://localhost:{self.port}"
        self.postgres = LocalPostgres(self.folder.postgres, fsync=fsync, on_line=on_line)
        self.nats = LocalNats(self.folder.nats, on_line=on_line)
        self.mail = MailSink(on_line, well_known=port is not None)
        self.services: dict[str, list[Service]] = {}
        self._env = env or {}
        self._replicas = replicas or {}
        self._programs = programs
        self._restart_waits = restart_waits
        self._on_line = on_line
        self._on_step = on_step
        self._preparations: list[ManagedProcess] = []
        self._guards: list[asyncio.Task[NoReturn]] = []
        self._hold = ExitStack()

    @property
    def database_url(self) -> str:
        """The URL of the stack's database."""
        return self.postgres.dsn

    @property
    def processes(self) -> list[ManagedProcess]:
        """Everything that was started, in the order in which it was."""
        servers: list[ManagedProcess] = [self.postgres, self.nats]
        return [*servers, *self._preparations, *chain.from_iterable(self.services.values())]

    def logs(self, name: str) -> list[str]:
        """Return the latest lines of a process, e.g. `dispatcher` (all replicas) or `nats`."""
        return [
            line
            for process in self.processes
            if process.name.split(".")[0] == name
            for line in process.lines
        ]

    async def failed(self) -> NoReturn:
        """Wait until some process crashes too often; then raise the `StackError`.

        The rest goes on running until `stop`.
        """
        done, _ = await asyncio.wait(self._guards, return_when=asyncio.FIRST_COMPLETED)
        done.pop().result()

    async def start(self) -> None:
        """Start everything and wait until it is ready. Raises `StackError`."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything in reverse order; kill what does not stop in time."""
        for guard in self._guards:
            guard.cancel()
        await asyncio.gather(*self._guards, return_exceptions=True)
        services = chain.from_iterable(self.services.values())
        for group in (list(services), self._preparations, [self.nats], [self.postgres]):
            await asyncio.gather(*(process.stop(_GRACE_SECONDS) for process in reversed(group)))
        await self.mail.stop()
        self._hold.close()

    def kill_now(self) -> None:
        """Kill everything at once, without waiting for its end."""
        for process in self.processes:
            process.kill_now()

    async def __aenter__(self) -> Self:
        """Do as `start`."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Do as `stop`."""
        await self.stop()

    async def _start(self) -> None:
        if not is_free(self.port):
            raise StackError(
                f"Port {self.port} is taken by another program, so the API cannot listen on it.",
                f"Stop that program, or choose another port: `PORT={self.port + 1} make run`.",
            )
        self._hold.enter_context(self.folder)
        with self._on_step("Starting Postgres"):
            await self.postgres.start()
            self._guard(self.postgres)
        with self._on_step("Starting NATS"):
            await self.nats.start()
            self._guard(self.nats)
        await self.mail.start()
        env = self._environment()
        with self._on_step("Preparing the database and the streams"):
            preparations = self._programs.preparations.items()
            await _all(self._prepare(name, argv, env) for name, argv in preparations)
        with self._on_step("Starting the services"):
            await self._start_services(env)

    def _environment(self) -> dict[str, str]:
        env = service_environment(
            os.environ,
            kept_secrets(self.folder.secrets),
            database_url=self.database_url,
            nats_url=self.nats.url,
            base_url=self.base_url,
            smtp_url=self.mail.smtp_url,
        )
        return {**env, **self._env}

    async def _prepare(self, name: str, argv: list[str], env: Mapping[str, str]) -> None:
        process = ManagedProcess(name, self._on_line)
        self._preparations.append(process)
        if await process.run(argv, env, REPOSITORY, _PREPARATION_SECONDS) != 0:
            raise of_output(name, process.last_words, self.folder.path)

    async def _start_services(self, env: Mapping[str, str]) -> None:
        for name, argv in self._programs.services.items():
            count = self._replicas.get(name, 1)
            self.services[name] = [self._service(name, n, argv, env) for n in range(count)]
        services = list(chain.from_iterable(self.services.values()))
        await _all(service.start() for service in services)
        for service in services:
            self._guard(service)

    def _service(self, name: str, number: int, argv: list[str], env: Mapping[str, str]) -> Service:
        health_port = free_port()
        ports = {"CUEAPI_HEALTH_PORT": str(health_port)}
        health = f"http://{LOOPBACK}:{health_port}/readyz"
        if name == "api":
            port = self.port if number == 0 else free_port()
            ports["PORT"] = str(port)
            health = f"http://{LOOPBACK}:{port}/health"
        replica = name if number == 0 else f"{name}.{number + 1}"
        return Service(replica, argv, {**env, **ports}, health, self._on_line)

    def _guard(self, member: Member) -> None:
        guarding = keep_alive(member, self.folder.path, self._restart_waits, self._tell)
        self._guards.append(asyncio.create_task(guarding))

    def _tell(self, what: str) -> None:
        self._on_line("stack", json.dumps({"level": "error", "event": what, "service": "stack"}))


async def _all(work: Iterable[Coroutine[None, None, None]]) -> None:
    """Do everything side by side. Raises the first failure, with the rest cancelled."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in work:
                group.create_task(coroutine)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures

"""Stacks for faults: replicas and short leases, behind proxies, on a cluster, on a small disk."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typing_extensions import override

from deploy.local.nats import LocalNats, configuration
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.postgres_folder import socket_folder
from deploy.local.processes import OnLine, discard
from deploy.local.stack import Stack
from tests.faults.proxy import Proxy

DISK_MIB = 24
_SOCKET = ".s.PGSQL.5432"


class BehindProxies(Stack):
    """A stack whose services reach Postgres and NATS through proxies."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        folder = socket_folder(self.postgres.data_dir)
        self.to_postgres = Proxy(lambda: asyncio.open_unix_connection(str(folder / _SOCKET)))
        self.to_nats = Proxy(lambda: asyncio.open_connection(LOOPBACK, self.nats.port))

    @override
    async def start(self) -> None:
        await self.to_postgres.start()
        await self.to_nats.start()
        await super().start()

    @override
    async def stop(self) -> None:
        await super().stop()
        await self.to_postgres.stop()
        await self.to_nats.stop()

    @override
    def _environment(self) -> dict[str, str]:
        account = self.postgres.dsn.partition("@")[0]
        return {
            **super()._environment(),
            "DATABASE_URL": f"{account}@{LOOPBACK}:{self.to_postgres.port}/cueapi?sslmode=disable",
            "NATS_URL": f"nats://{LOOPBACK}:{self.to_nats.port}",
        }


class Node(LocalNats):
    """One of three servers, which know each other by their routes."""

    def __init__(self, folder: Path, name: str, routes: list[int], route: int) -> None:
        super().__init__(folder)
        self.name = name
        self._routes, self._route = routes, route

    @override
    def _write_configuration(self) -> Path:
        path = super()._write_configuration()
        text = configuration(self.store_dir / "jetstream", self.port, self._monitoring_port)
        routes = ", ".join(f'"nats://{LOOPBACK}:{port}"' for port in self._routes)
        path.write_text(
            text.replace("cueapi-local", self.name)
            + f'cluster {{\n  name: faults\n  listen: "{LOOPBACK}:{self._route}"\n'
            + f"  routes: [{routes}]\n}}\n"
        )
        return path


class Cluster(Node):
    """Three servers that start and stop together; this one is the first of them."""

    def __init__(self, folder: Path, on_line: OnLine = discard) -> None:
        routes = [free_port() for _ in range(3)]
        super().__init__(folder / "nats", "nats", routes, routes[0])
        self._on_line = on_line
        others = enumerate(routes[1:], 2)
        self.nodes: list[Node] = [
            self,
            *(Node(folder / f"nats.{n}", f"nats.{n}", routes, route) for n, route in others),
        ]

    @override
    async def start(self) -> None:
        down = [node for node in self.nodes[1:] if not node.running]
        await asyncio.gather(super().start(), *(node.start() for node in down))

    @override
    async def stop(self, grace: float = 10.0) -> None:
        await asyncio.gather(super().stop(grace), *(node.stop(grace) for node in self.nodes[1:]))


class OnCluster(Stack):
    """A stack whose broker is three servers."""

    def __init__(self, data_dir: Path, **options: Any) -> None:
        env = {**options.pop("env", {}), "CUEAPI_STREAM_REPLICAS": "3"}
        super().__init__(data_dir, env=env, **options)
        self.cluster = Cluster(self.folder.path)
        self.nats = self.cluster


class OnSmallDisk(Stack):
    """A stack whose broker keeps its messages on a disk of `DISK_MIB`; needs root."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.disk = self.nats.store_dir / "jetstream"
        self._mounted = False

    @override
    async def start(self) -> None:
        if os.geteuid() != 0:
            raise NeedsRoot("the fault fills a disk of its own (tmpfs): run it as root")
        self.disk.mkdir(parents=True)
        size = f"size={DISK_MIB}m"
        await _run("mount", "-t", "tmpfs", "-o", size, "tmpfs", str(self.disk))
        self._mounted = True
        await super().start()

    @override
    async def stop(self) -> None:
        await super().stop()
        if self._mounted:
            self._mounted = False
            await _run("umount", str(self.disk))


async def _run(*argv: str) -> None:
    process = await asyncio.create_subprocess_exec(*argv)
    assert await process.wait() == 0, f"{argv[0]} failed"


class NeedsRoot(Exception):
    """A fault cannot be made here; says what to do."""


@contextmanager
def filled(folder: Path) -> Iterator[int]:
    """Leave no byte free on the disk of `folder` within the block; gives how many it took."""
    filler = folder / "filler"
    written = 0
    try:
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    written += file.write(b"x" * 4096)
            except OSError:
                pass  # full, as it should be
        yield written
    finally:
        filler.unlink()

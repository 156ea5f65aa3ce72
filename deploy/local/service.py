"""One process of one service."""

import os
from collections.abc import Mapping
from pathlib import Path

from deploy.local.failures import of_output
from deploy.local.processes import DidNotStartError, ManagedProcess, OnLine, discard
from deploy.local.waiting import answers

REPOSITORY = Path(__file__).parents[2]
_READY_SECONDS = 60.0


class Service(ManagedProcess):
    """A replica of a service, started with `argv` and `env`; ready when `health` answers 2xx.

    A crash is answered by the stack, which starts it again; after `kill()` or `stop()` it
    stays down until `restart()`.
    """

    def __init__(
        self,
        name: str,
        argv: list[str],
        env: Mapping[str, str],
        health: str,
        on_line: OnLine = discard,
    ) -> None:
        super().__init__(name, on_line)
        self.health = health
        self._argv = argv
        # Without compiled files every start would compile half a second of imports again.
        kept = {name: value for name, value in env.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._env = {**kept, "PYTHONUNBUFFERED": "1", "PATH": env.get("PATH", os.defpath)}

    async def start(self) -> None:
        """Start it and wait until it is ready. Raises `StackError` if it does not get there."""
        await self._launch(self._argv, self._env, REPOSITORY)
        try:
            await self._wait_until_ready(self.is_ready, _READY_SECONDS)
        except DidNotStartError as error:
            raise of_output(self.name, self.last_words, REPOSITORY) from error

    async def restart(self) -> None:
        """Stop it if it runs, start it and wait until it is ready. Raises `StackError`."""
        await self.stop()
        await self.start()

    async def become(self, argv: list[str]) -> None:
        """Go on as another program on the same ports, such as another release. As `restart`."""
        await self.stop()
        self._argv = argv
        await self.start()

    async def is_ready(self) -> bool:
        """Say whether it takes work now."""
        return await answers(self.health)

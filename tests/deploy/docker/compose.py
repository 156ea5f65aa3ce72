"""The stack of docker-compose.yml under a project name of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from deploy.local.ports import LOOPBACK

ROOT = Path(__file__).parents[3]
SERVICES = ("api", "scheduler", "dispatcher", "outcomes", "alerts")
UP_SECONDS = 300


class Compose:
    """Brings a stack up and down, and looks into its containers."""

    def __init__(self, project: str, port: int) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self._project = project
        self._environment = {
            "PATH": os.environ["PATH"],
            "DOCKER_HOST": os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"),
            "CUEAPI_LISTEN": f"{LOOPBACK}:{port}",
            "CUEAPI_IMAGE": os.environ["CUEAPI_IMAGE"],
        }

    def up(self, *arguments: str) -> None:
        """Start what is not running, in order."""
        self._compose("up", "--detach", "--no-build", *arguments)

    def down(self, *, volumes: bool = False) -> None:
        """Stop and remove all containers, and with `volumes` all data."""
        self._compose("down", "--timeout", "45", *(["--volumes"] if volumes else []))

    def container(self, service: str) -> str:
        """Name the container of a service."""
        found = self._compose("ps", "--quiet", service).split()
        assert len(found) == 1, f"{service}: {found}"
        return found[0]

    def inspect(self, service: str) -> dict[str, Any]:
        """Tell all that Docker knows of a service's container."""
        told: list[dict[str, Any]] = json.loads(
            self._run("docker", "inspect", self.container(service))
        )
        return told[0]

    def execute(self, service: str, *command: str) -> str:
        """Run a command in a service's container. Raises `CalledProcessError`."""
        return self._run("docker", "exec", self.container(service), *command)

    def stop(self, service: str) -> None:
        """Ask a service to stop, and wait until it has."""
        self._compose("stop", "--timeout", "45", service)

    def is_healthy(self, service: str) -> bool:
        """Say whether a service's health check passes."""
        return bool(self.inspect(service)["State"]["Health"]["Status"] == "healthy")

    def _compose(self, *arguments: str) -> str:
        return self._run(*_program(), "--project-name", self._project, *arguments)

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=UP_SECONDS,
            check=False,
        )
        assert done.returncode == 0, (
            f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-3000:]}"
        )
        return done.stdout


def _program() -> list[str]:
    """`docker compose`, or the older program of that name where the plugin is missing."""
    old = shutil.which("docker-compose")
    return [old] if old else ["docker", "compose"]

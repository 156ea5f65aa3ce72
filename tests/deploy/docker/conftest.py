"""The compose file, running. Only `make test-docker` collects these: they need a Docker daemon."""

import os
from collections.abc import Iterator

import pytest

from deploy.local.ports import free_port
from tests.deploy.docker.compose import Compose

collect_ignore_glob = [] if os.environ.get("CUEAPI_TEST_DOCKER") else ["test_*.py"]


@pytest.fixture(scope="session")
def stack() -> Iterator[Compose]:
    """The stack as `docker compose up` brings it up with nothing configured, but for its port."""
    stack = Compose("cueapi-test", free_port())
    try:
        stack.up()
        yield stack
    finally:
        stack.down(volumes=True)

"""The overlays, rendered. Only `make test-k8s` collects these: they need kubectl or kustomize."""

from __future__ import annotations

import os

import pytest

from tests.deploy.k8s.cluster import Cluster, rendered

collect_ignore_glob = [] if os.environ.get("CUEAPI_TEST_KUBERNETES") else ["test_*.py"]

OVERLAYS = ("local", "production")


@pytest.fixture(scope="session", params=OVERLAYS)
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Each overlay in turn."""
    return rendered(str(request.param))


@pytest.fixture(scope="session")
def production() -> Cluster:
    return rendered("production")

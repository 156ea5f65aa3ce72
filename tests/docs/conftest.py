"""The API on fakes, which serves the pages, and its documentation."""

from __future__ import annotations

import pytest

from services.api.routes.docs import Site, site
from tests.services.api.conftest import api, logs, names, rules

__all__ = ["api", "logs", "names", "rules"]


@pytest.fixture(scope="session")
def docs() -> Site:
    """The pages that the API serves."""
    return site()

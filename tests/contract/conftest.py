"""The api on fakes, as in the tests of the service."""

from tests.services.api.conftest import api, logs, names, rules

__all__ = ["api", "logs", "names", "rules"]

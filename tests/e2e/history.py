"""What the clients of a test sent, and what they were answered: one half of the evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. `status` is None when no answer came: it may be done or not."""

    method: str
    path: str
    sent: Any
    account: str
    idempotency_key: str | None = None
    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether it was answered 2xx: a promise that it is in the log."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def ambiguous(self) -> bool:
        """Whether it may have been done without its client knowing."""
        return self.status is None or self.status >= 500


@dataclass
class History:
    """All exchanges of a test run, in the order in which they ended."""

    exchanges: list[Exchange] = field(default_factory=list)

    def with_status(self, status: int) -> list[Exchange]:
        """Return the exchanges that were answered so."""
        return [exchange for exchange in self.exchanges if exchange.status == status]

"""What the endpoints stand on, as ports: the composition root fills them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from libs.events.base import Command, Event, Value
from libs.events.envelope import Idempotency, Meta
from libs.events.unit import StoredResult
from libs.runtime.crypto import Keyring
from libs.runtime.http.addresses import EgressPolicy
from libs.runtime.http.names import NameLookup
from libs.runtime.postgres import Connection
from services.api.adapters.billing import Billing
from services.api.adapters.mail import MailQueue
from services.api.queries.pages import Pages
from services.api.routes.audience import Audience
from services.api.routes.remembered import Remembered
from services.api.routes.waiting import WaitingRoom
from services.api.rules.addresses import Network
from services.api.rules.uptime import Uptime

FRESH_SECONDS = 1.0
"""How old a reading of what the service stands on may be."""

HISTORY_SECONDS = 15.0
"""How old the history of how it worked may be."""


class Store(Protocol):
    """Postgres, for one statement at a time."""

    async def rows(self, sql: str, params: Mapping[str, Any] | Sequence[Any] = ()) -> list[Any]:
        """Give the rows as dictionaries. Raises `Unavailable`."""
        ...

    async def each(self, sql: str, item: Mapping[str, Any]) -> list[Any]:
        """Give the rows for one item of a set-based statement. Raises `Unavailable`."""
        ...

    async def execute(self, sql: str, params: Mapping[str, Any] | Sequence[Any] = ()) -> int:
        """Run one statement; gives the number of rows. Raises `Unavailable`."""
        ...


class CommandBus(Protocol):
    """Brings commands to their owners."""

    @property
    def connected(self) -> bool:
        """Whether the broker answers now."""
        ...

    async def ask_with_meta(
        self,
        command: Command,
        *,
        meta: Meta,
        idempotency: Idempotency | None = None,
        timeout: float = 10.0,
    ) -> tuple[Value, bool]:
        """Give the owner's answer, and whether it is the stored answer of an earlier command.

        Raises `Refused` and `Unanswered`.
        """
        ...

    async def call(self, command: Command, *, meta: Meta, timeout: float) -> Value:
        """Give the answer to a called command, which is made at most once.

        Raises `Refused` and `Unanswered`.
        """
        ...


class Unit(Protocol):
    """One transaction on the log."""

    now: datetime
    connection: Connection

    async def lock(self, category: str, keys: Iterable[str]) -> None:
        """Read and lock these streams."""
        ...

    def state(self, category: str, key: str) -> Any:
        """Give a locked stream's state; None when there is no such stream."""
        ...

    async def stored_results(
        self, command_ids: Sequence[str], keys: Sequence[tuple[str, str]]
    ) -> list[StoredResult]:
        """Find replies kept under these ids, or (account, idempotency key) pairs."""
        ...

    def answer(self, result: StoredResult) -> None:
        """Keep a reply."""
        ...

    def record(
        self, category: str, key: str, account_id: str, events: Sequence[Event], meta: Meta
    ) -> None:
        """Append events to a stream."""
        ...


class OwnLog(Protocol):
    """The log, for the commands which the api decides itself."""

    def transaction(self) -> AbstractAsyncContextManager[Unit]:
        """Open a unit of work that commits when its block ends."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What the operator chose (contract §13), as far as the endpoints care."""

    allow_register: bool = True
    default_plan: str = "free"
    enforce_quotas: bool = True
    delivery_timeout_seconds: int = 30
    worker_stale_seconds: int = 180
    session_secret: str = ""
    reveal_keys: bool = True
    device_codes_per_hour: int = 5
    mcp_clients: frozenset[str] = frozenset()
    return_hosts: frozenset[str] = frozenset()
    base_url: str = "http://localhost:8000"
    dashboard_url: str = ""
    trusted_proxies: tuple[Network, ...] = ()
    egress: EgressPolicy = field(default_factory=EgressPolicy)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """Everything outside that an endpoint may use."""

    store: Store
    pages: Pages
    bus: CommandBus
    log: OwnLog
    keyring: Keyring
    names: NameLookup
    mailer: MailQueue
    rules: Rules
    billing: Billing | None = None
    vitals: Remembered[Any] = field(default_factory=lambda: Remembered(FRESH_SECONDS))
    uptime: Uptime = field(default_factory=Uptime)
    history: Remembered[bytes] = field(default_factory=lambda: Remembered(HISTORY_SECONDS))
    audience: Audience = field(default_factory=Audience)
    waiting: WaitingRoom = field(default_factory=WaitingRoom)

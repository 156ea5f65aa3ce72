"""Postgres as the services see it, in memory: the log, the tables beside it, and their SQL.

The services' statements run here as they are: each has a twin in Python, found by its text, and
`test_statements.py` holds both to the same answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from typing_extensions import override

from libs.events.envelope import Recorded, encode
from libs.events.execution_events import ExecutionScheduled
from libs.events.memory import MemoryLog, MemoryUnit

Twin = Callable[["StoreUnit", Any], Awaitable[Sequence[Any]]]
"""What a statement does: gives the rows that Postgres would give for these parameters."""


DUE_TABLES = ("notifications", "cue_watches")
"""The tables beside the log whose rows have a due time."""


class Store(MemoryLog):
    """The log with the tables that services have beside it, by name and key.

    `dues` are the due times of the rows of `DUE_TABLES` that have one, by table and key;
    `settling` are the cues that have, or had, a run to wait for.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        twins: Mapping[str, Twin],
        unit: Callable[[Store], MemoryUnit] | None = None,
    ) -> None:
        super().__init__(clock)
        self.twins = twins
        self._unit = unit or StoreUnit
        self.tables: dict[str, dict[Any, Any]] = {}
        self.histories: dict[str, list[Recorded]] = {}
        self.dues: dict[str, dict[Any, datetime]] = {name: {} for name in DUE_TABLES}
        self.settling: dict[str, None] = {}
        self.committed.append(self._remember)

    def _remember(self, recorded: Sequence[Recorded]) -> None:
        for item in recorded:
            self.histories.setdefault(item.stream_id, []).append(item)
            if isinstance(item.event, ExecutionScheduled):
                cue_id = item.event.cue_id
                if self.state("cue", cue_id).facts.scheduled_id is not None:
                    self.settling[cue_id] = None

    def cues(self) -> list[str]:
        """Name all cues that there ever were."""
        of_accounts = (keys for (kind, _), keys in self.members.items() if kind == "cue")
        return [key for keys in of_accounts for key in keys]

    @property
    def database(self) -> StoreDatabase:
        """Where statements run outside any transaction."""
        return StoreDatabase(self)

    @override
    def unit(self) -> MemoryUnit:
        return self._unit(self)

    def state(self, category: str, key: str) -> Any:
        """Give a stream's committed state, or None."""
        held = self.streams.get((category, key))
        return held.state if held else None

    def text(self, category: str, key: str) -> str:
        """Give a stream's committed state as Postgres would give it."""
        return encode(self.streams[category, key].state).decode()


class Rows(list[Any]):
    """What a statement gave, as a cursor gives it."""

    @property
    def rowcount(self) -> int:
        """How many rows there are."""
        return len(self)

    async def fetchall(self) -> list[Any]:
        """Give all rows."""
        return self

    async def fetchone(self) -> Any:
        """Give the first row, or None."""
        return self[0] if self else None


class StoreDatabase:
    """Statements outside any transaction."""

    def __init__(self, log: Store) -> None:
        self._log = log

    async def rows(self, sql: str, params: Any = ()) -> list[Any]:
        """Give the rows of a statement that only reads."""
        unit = self._log.unit()
        assert isinstance(unit, StoreUnit)
        return await unit.execute(sql, params)

    async def execute(self, sql: str, params: Any = ()) -> int:
        """Run one statement in a transaction of its own; gives the number of rows it touched."""
        async with self._log.transaction() as unit:
            assert isinstance(unit, StoreUnit)
            return (await unit.execute(sql, params)).rowcount


class Table:
    """One of the tables beside the log, as a transaction sees it: what it wrote, else the rest."""

    def __init__(self, rows: dict[Any, Any]) -> None:
        self._rows = rows
        self._own: dict[Any, Any] = {}

    def get(self, key: Any) -> Any:
        """Give a row, or None."""
        return self._own[key] if key in self._own else self._rows.get(key)

    def put(self, key: Any, row: Any) -> None:
        """Write a row; None deletes it."""
        self._own[key] = row

    def items(self) -> list[tuple[Any, Any]]:
        """Give all keys and rows."""
        both = {**self._rows, **self._own} if self._own else self._rows
        return [(key, row) for key, row in both.items() if row is not None]

    def flush(self, dues: dict[Any, datetime] | None) -> None:
        """Make what was written seen, and its due times, if the rows have one."""
        for key, row in self._own.items():
            if row is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = row
            if dues is not None:
                dues.pop(key, None)
                if row is not None and row["due_at"] is not None:
                    dues[key] = row["due_at"]


class StoreUnit(MemoryUnit):
    """A unit of work on a `Store`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.store = store
        self._tables: dict[str, Table] = {}

    @property
    def connection(self) -> StoreUnit:
        """Where the services' statements run: here."""
        return self

    async def execute(self, sql: str, params: Any = ()) -> Rows:
        """Run the twin of a statement. Raises `NotImplementedError` if it has none."""
        twin = self.store.twins.get(sql)
        if twin is None:
            raise NotImplementedError(f"this statement has no twin in memory: {sql}")
        await self.store.step("statement")
        return Rows(await twin(self, params))

    def table(self, name: str) -> Table:
        """Give a table beside the log as this transaction sees it."""
        if name not in self._tables:
            self._tables[name] = Table(self.store.tables.setdefault(name, {}))
        return self._tables[name]

    @override
    def flush(self) -> None:
        super().flush()
        for name, table in self._tables.items():
            table.flush(self.store.dues.get(name))

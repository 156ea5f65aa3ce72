"""Brings the database to this release's schema, and makes the log's partitions ahead of time."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config

MONTHS_AHEAD = 3
_LOCK = 4_711

_ENSURE_PARTITION = """
create table if not exists events_{month:%Y_%m} partition of events
  for values from ('{month:%Y-%m-%d}') to ('{after:%Y-%m-%d}')
"""


def migrate(url: str) -> None:
    """Run every missing migration under a lock; safe to call from any number of processes at once.

    `url` is a libpq URL. Raises `sqlalchemy.exc.OperationalError` when Postgres is away.
    """
    engine = sqlalchemy.create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        connect_args={"options": "-c lock_timeout=10s -c timezone=UTC"},
    )
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as connection, connection.begin():
        connection.execute(sqlalchemy.text(f"select pg_advisory_xact_lock({_LOCK})"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        today = connection.execute(sqlalchemy.text("select current_date")).scalar_one()
        for statement in partition_statements(today):
            connection.execute(sqlalchemy.text(statement))
    engine.dispose()


def partition_statements(today: date) -> list[str]:
    """The statements that make this month's partition and those of the months ahead."""
    months = [_month_after(today.replace(day=1), count) for count in range(MONTHS_AHEAD + 2)]
    return [_ENSURE_PARTITION.format(month=month, after=after) for month, after in pairwise(months)]


def _month_after(month: date, count: int) -> date:
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)

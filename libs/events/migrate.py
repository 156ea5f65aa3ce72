"""Brings the database to this release's schema, and makes the log's partitions ahead of time.

A log that was restored into another server is taken over here too: see `adopt_log` in the schema.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config

from libs.events.partitions import partition_statements

_LOCK = 4_711


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
        connection.execute(sqlalchemy.text("select adopt_log()"))
        today = connection.execute(sqlalchemy.text("select current_date")).scalar_one()
        for statement in partition_statements(today):
            connection.execute(sqlalchemy.text(statement))
    engine.dispose()

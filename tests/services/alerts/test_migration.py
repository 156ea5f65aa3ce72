"""Cues from before there were watches are watched from the upgrade on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config

from libs.events import migrate as migrations
from libs.events.cue_settings import (
    Schedule,
)
from libs.events.log import PostgresLog
from libs.events.migrate import migrate
from libs.runtime.postgres import Database
from tests.servers import PostgresServer, fresh_database
from tests.services.alerts.story import Story

pytestmark = pytest.mark.integration


def migrate_to_the_first(url: str) -> None:
    """Bring an empty database to the schema of the first migration alone."""
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    config = Config()
    folder = Path(migrations.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    with engine.connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()


async def test_cues_that_are_there_already_are_watched(postgres: PostgresServer) -> None:
    async with fresh_database(postgres) as url:
        await asyncio.to_thread(migrate_to_the_first, url)
        database = Database(url)
        await database.open()
        log = PostgresLog(database)
        old = Story(log, schedule=Schedule(cron="0 9 * * *", timezone="Europe/Berlin"))
        await old.begin()
        once = Story(log, schedule=Schedule(at=await old.now()))
        await once.begin()
        await asyncio.to_thread(migrate, url)
        rows = await database.rows("select cue_id, cron, timezone from cue_watches")
        await database.close()
    assert rows == [{"cue_id": old.cue_id, "cron": "0 9 * * *", "timezone": "Europe/Berlin"}]

"""What must be done now and then so that nothing grows for ever: old rows out, partitions ahead."""

from __future__ import annotations

import asyncio

import structlog

from libs.events.partitions import partition_statements
from libs.runtime.health import Health
from libs.runtime.ids import jittered
from libs.runtime.postgres import Database, Unavailable

log = structlog.get_logger()

EVERY_SECONDS = 600.0
BEAT_SECONDS = 10.0
CHUNK = 5_000
_LOCK = 4_713

# A command's reply is asked for again within seconds, an idempotency key within a day.
_OLD_RESULTS = """
delete from command_results where command_id in (
  select command_id from command_results
   where created_at < now() - case when idempotency_key is null then interval '1 hour'
                                   else interval '25 hours' end
   order by created_at limit %s)
"""
# Limits with a name (`mint:<account>`) count over an hour, the general one over a minute.
_IDLE_WINDOWS = """
delete from rate_windows where subject in (
  select subject from rate_windows
   where hits[cardinality(hits)] < now() - case when strpos(subject, ':') > 0
                                                then interval '61 minutes'
                                                else interval '2 minutes' end limit %s)
"""
# Contract §4 "Key": erased 30 days after its end. A sign-in's one-time tokens die with it.
_ENDED_KEYS = """
delete from api_keys where id in (
  select id from api_keys where revoked_at < now() - interval '30 days' limit %s)
"""
_OLD_SIGN_INS = """
delete from device_codes where code in (
  select code from device_codes where expires_at < now() - interval '1 hour' limit %s)
"""
_OLD_ECHOES = """
delete from echoes where token in (
  select token from echoes where received_at < now() - interval '5 minutes' limit %s)
"""
# What was under way when an account was erased may still have left this; replies go as all do.
_OF_ERASED = """
delete from {table} where ctid in (
  select t.ctid from {table} t join erased_accounts e on e.id = t.account_id
   where e.finished_at > now() - interval '2 days' limit %s)
"""
_FORGET = (
    _OLD_RESULTS,
    _IDLE_WINDOWS,
    _ENDED_KEYS,
    _OLD_SIGN_INS,
    _OLD_ECHOES,
    *(_OF_ERASED.format(table=t) for t in ("blobs", "workers", "usage", "outcome_counts")),
)


class Upkeep:
    """A part of a process; any number of replicas take turns."""

    name = "upkeep"

    def __init__(self, database: Database, health: Health) -> None:
        self._database = database
        self._health = health

    async def run(self) -> None:
        """Clean up every ten minutes until cancelled."""
        while True:
            try:
                await self.run_once()
            except Unavailable as error:
                log.warning("upkeep waits", error=str(error))
            wait = jittered(EVERY_SECONDS)
            while wait > 0:
                self._health.beat(self.name)
                await asyncio.sleep(min(wait, BEAT_SECONDS))
                wait -= BEAT_SECONDS

    async def run_once(self) -> int:
        """Make the coming months' partitions and delete what nobody can ask for; give how many."""
        async with self._database.transaction() as (connection, now):
            cursor = await connection.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK])
            row = await cursor.fetchone()
            if row is None or not row[0]:
                return 0
            for statement in partition_statements(now.date()):
                await connection.execute(statement)
        deleted = 0
        for statement in _FORGET:
            while (gone := await self._database.execute(statement, [CHUNK])) > 0:
                deleted += gone
                if gone < CHUNK:
                    break
        return deleted

"""Very many rows, by SQL: copies of a cue or of an execution that the API has made.

The copies have no history in the log but what is said: firing and delivering look at rows alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from libs.runtime.postgres import Database

ROWS = 20_000
"""In one statement, which may last 15 seconds."""

_numbers = count()

_COPY_CUES = """
insert into cues
       (id, account_id, name, status, next_run, verification, created_at, version, state)
select id, account_id, name || '-' || id, status, next_run, verification, created_at, version,
       replace(replace(state, template, id), to_json(name)::text, to_json(name || '-' || id)::text)
         ::json
  from (select 'cue_' || lpad((%(first)s + n)::text, 12, '0') as id, c.id as template,
               account_id, name, status, next_run, verification, created_at, version,
               state::text as state
          from cues c, generate_series(1, %(count)s) n where c.id = %(cue)s) copies
"""
_FORGET_COPIES = """
delete from cues where id in (
  select c.id from cues c, cues o
   where o.id = %(cue)s and c.account_id = o.account_id and c.name = o.name || '-' || c.id
   limit %(rows)s)
"""
# As old as the database itself, so that nobody is told of them.
_COPY_EXECUTIONS = """
with copies as materialized (
  select gen_random_uuid() as new_id, n from generate_series(1, %(count)s) n
), rows as (
  insert into executions
  select (json_populate_record(null::executions, (to_jsonb(e) || jsonb_build_object(
           'id', new_id, 'created_at', e.created_at - n * interval '1 ms',
           'state', replace(e.state::text, e.id::text, new_id::text)::jsonb))::json)).*
    from executions e, copies where e.id = %(execution)s
)
insert into events (xid, id, month, stream_id, version, type, schema_version, account_id, data,
                    meta, recorded_at)
select '3'::xid8, gen_random_uuid(), month, 'execution-' || new_id, version, type, schema_version,
       account_id, data, meta, recorded_at
  from events, copies where stream_id = 'execution-' || %(execution)s::text
"""


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[Database]:
    """The stack's database, over connections of the bench's own."""
    database = Database(database_url, max_connections=2, name="bench")
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def copy_cue(database: Database, cue_id: str, wanted: int) -> None:
    """Make so many copies of a cue, due when it is."""
    while wanted > 0:
        rows = min(ROWS, wanted)
        first = next(_numbers) * ROWS
        await database.execute(_COPY_CUES, {"first": first, "count": rows, "cue": cue_id})
        wanted -= rows


async def forget_copies(database: Database, cue_id: str) -> None:
    """Delete the copies of a cue."""
    while await database.execute(_FORGET_COPIES, {"cue": cue_id, "rows": ROWS}):
        pass


async def copy_execution(database: Database, execution_id: str, wanted: int) -> None:
    """Make so many copies of an execution, each with a copy of its events."""
    while wanted > 0:
        rows = min(ROWS // 10, wanted)
        await database.execute(_COPY_EXECUTIONS, {"count": rows, "execution": execution_id})
        wanted -= rows


async def settle(database: Database, *tables: str) -> None:
    """Let Postgres learn of the new rows, as its own upkeep would in a while."""
    for table in tables:
        await database.execute(f"vacuum (analyze, skip_locked) {table}")

"""What an account has used this month (contract nr 39)."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from services.api.queries.pages import Reads


class Usage(NamedTuple):
    """Counts of the month that `today` lies in, and of the caller's last 60 seconds."""

    today: date
    active_cues: int
    paused_cues: int
    executions: int
    grace_started_at: datetime | None
    reported: int
    succeeded: int
    failed: int
    requests: int


async def read_usage(database: Reads, account_id: str, subject: str) -> Usage:
    """Count; `subject` is what requests are counted by: the key, or the account of a session."""
    rows = await database.rows(_USAGE, {"account": account_id, "subject": subject})
    return Usage(**rows[0])


_USAGE = """
with month as (
  select (now() at time zone 'utc')::date as today,
         date_trunc('month', now() at time zone 'utc')::date as period
),
cues as (
  select count(*) filter (where status = 'active') as active_cues,
         count(*) filter (where status = 'paused') as paused_cues
    from api_cues where account_id = %(account)s
)
select month.today, cues.active_cues, cues.paused_cues,
       coalesce(u.executions, 0) as executions, u.grace_started_at,
       coalesce(o.succeeded + o.failed, 0) as reported,
       coalesce(o.succeeded, 0) as succeeded,
       coalesce(o.failed + o.unreported, 0) as failed,
       (select count(*) from rate_windows w, unnest(w.hits) h
         where w.subject = %(subject)s and h > now() - interval '60 seconds') as requests
  from month cross join cues
  left join api_usage u on u.account_id = %(account)s and u.period = month.period
  left join api_outcomes o on o.account_id = %(account)s and o.period = month.period
"""

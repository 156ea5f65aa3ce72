"""One statement that knows the caller, counts the request and reads what every answer tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from libs.events.accounts import PLANS
from services.api.rules.tokens import KeyToken, SessionToken

WINDOW_SECONDS = 60


class Reads(Protocol):
    """What is asked of the database here."""

    async def rows(self, sql: str, params: Mapping[str, Any]) -> list[Any]:
        """Give the rows as dictionaries."""
        ...

    async def each(self, sql: str, item: Mapping[str, Any]) -> list[Any]:
        """Give the rows for one item of a set-based statement."""
        ...


class Admission(NamedTuple):
    """The owner of a token, as it is now.

    `status` is the key's, `active` for sessions; `plan` None for an account that is gone.
    `counted` is false when the window was full. `used` counts the requests in the window, this one
    included; it empties at `resets_at`, or, when it was full, lets the next one in. `limits` are
    the account's own, which go before its plan's.
    """

    account_id: str
    key_id: str | None
    status: str
    revoked_reason: str | None
    plan: str
    executions: int
    counted: bool
    used: int
    resets_at: datetime
    limits: Mapping[str, int] | None = None


async def admit(
    database: Reads, token: KeyToken | SessionToken, *, limited: bool
) -> Admission | None:
    """Count a request of this token if it may be made; None when nobody has the token.

    The window is a sliding log over 60 s, exact across replicas: the row of a key is locked while
    it is counted. A refused request is not counted. Without `limited` nothing is counted at all.
    """
    if not limited:
        return await _uncounted(database, token)
    by_key = isinstance(token, KeyToken)
    rows = await database.rows(
        _BY_KEY if by_key else _BY_ACCOUNT,
        {
            "who": token.sha256 if isinstance(token, KeyToken) else token.account_id,
            "rates": _RATES,
        },
    )
    if not rows:
        return None
    return Admission(**rows[0])


async def _uncounted(database: Reads, token: KeyToken | SessionToken) -> Admission | None:
    if isinstance(token, KeyToken):
        rows = await database.each(_KEYS, {"who": token.sha256.hex()})
    else:
        rows = await database.each(_ACCOUNTS, {"who": token.account_id})
    if not rows:
        return None
    fields = {name: value for name, value in rows[0].items() if name != "n"}
    return Admission(**fields, counted=True, used=0)


_RATES = json.dumps({name: plan.requests_per_minute for name, plan in PLANS.items()})

_CALLER_BY_KEY = """
  select k.id::text as key_id, k.account_id, k.status, k.revoked_reason, a.plan, a.limits,
         k.id::text as subject
    from api_keys k join accounts a on a.id = k.account_id
   where k.hash = %(who)s
"""
_CALLER_BY_ACCOUNT = """
  select null::text as key_id, a.id as account_id, 'active' as status,
         null::text as revoked_reason, a.plan, a.limits,
         a.id::text as subject
    from accounts a join identities i on i.account_id = a.id
   where a.id = %(who)s
"""

# The window's row is read as it was before the statement, for the one case in which the insert
# gives nothing back: the window was full.
_STATEMENT = """
with caller as materialized (/*caller*/),
counted as (
  insert into rate_windows as w (subject, hits)
  select subject, array[now()] from caller where status = 'active'
  on conflict (subject) do update
     set hits = array(
           select h from unnest(w.hits) h where h > now() - interval '60 seconds') || now()
   where (select count(*) from unnest(w.hits) h where h > now() - interval '60 seconds')
       < (select coalesce(limits ->> 'requests_per_minute', %(rates)s::jsonb ->> plan)::integer
            from caller)
  returning hits
),
used as (
  update api_keys k set last_used_at = now() from caller
   where k.id = caller.key_id::uuid and caller.status = 'active'
     and (k.last_used_at is null or k.last_used_at < now() - interval '1 minute')
)
select c.account_id::text, c.key_id, c.status, c.revoked_reason, c.plan, c.limits,
       coalesce(u.executions, 0) as executions,
       counted.hits is not null as counted,
       coalesce(cardinality(counted.hits), 0) as used,
       coalesce(
         (select max(h) from unnest(counted.hits) h),
         (select min(h) from unnest(full_window.hits) h where h > now() - interval '60 seconds'),
         now()
       ) + interval '60 seconds' as resets_at
  from caller c
  left join counted on true
  left join rate_windows full_window on full_window.subject = c.subject
  left join api_usage u on u.account_id = c.account_id
       and u.period = date_trunc('month', now() at time zone 'utc')::date
"""
_BY_KEY = _STATEMENT.replace("/*caller*/", _CALLER_BY_KEY)
_BY_ACCOUNT = _STATEMENT.replace("/*caller*/", _CALLER_BY_ACCOUNT)

# Without limits nothing is counted, and the callers who wait are looked up together. Keys which
# another replica marks as used are skipped: so two replicas never wait for each other.
_KEYS = """
with caller as (
  select asked.n, k.id, k.account_id, k.status, k.revoked_reason, a.plan, a.limits,
         k.last_used_at
    from json_to_recordset(%s::json) as asked(n int, who text)
    join api_keys k on k.hash = decode(asked.who, 'hex')
    join accounts a on a.id = k.account_id
), used as (
  update api_keys set last_used_at = now()
   where id in (
     select k.id from api_keys k join caller c on c.id = k.id
      where c.status = 'active'
        and (c.last_used_at is null or c.last_used_at < now() - interval '1 minute')
        for update of k skip locked)
)
select c.n, c.account_id::text, c.id::text as key_id, c.status, c.revoked_reason, c.plan, c.limits,
       coalesce(u.executions, 0) as executions, now() as resets_at
  from caller c
  left join api_usage u on u.account_id = c.account_id
       and u.period = date_trunc('month', now() at time zone 'utc')::date
"""
_ACCOUNTS = """
select asked.n, a.id::text as account_id, null as key_id, 'active' as status,
       null as revoked_reason, a.plan, a.limits, coalesce(u.executions, 0) as executions,
       now() as resets_at
  from json_to_recordset(%s::json) as asked(n int, who uuid)
  join accounts a on a.id = asked.who
  join identities i on i.account_id = a.id
  left join api_usage u on u.account_id = a.id
       and u.period = date_trunc('month', now() at time zone 'utc')::date
"""

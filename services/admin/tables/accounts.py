"""Accounts as operators see them: found by id or address, listed, moved to another plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from libs.events.accounts import CATEGORY, PLANS, Limits, LimitsChanged, PlanChanged
from libs.events.envelope import Meta
from libs.events.log import PostgresLog
from libs.runtime.ids import new_uuid
from libs.runtime.postgres import Database

_ACCOUNTS = """
select a.id::text, i.email, a.plan, a.limits, a.created_at,
       (select count(*) from cues c where c.account_id = a.id and c.status = 'active')
         as active_cues,
       coalesce((select executions from usage u where u.account_id = a.id
                  and u.period = date_trunc('month', now() at time zone 'utc')::date), 0)
         as executions_this_month,
       (select count(*) from api_keys k where k.account_id = a.id and k.status = 'active')
         as active_keys
  from accounts a left join identities i on i.account_id = a.id
"""


async def list_accounts(database: Database, limit: int, search: str = "") -> list[dict[str, Any]]:
    """Give the newest accounts, of those whose address contains `search`."""
    return await database.rows(
        f"{_ACCOUNTS} where strpos(coalesce(i.email, ''), %s) > 0"
        " order by a.created_at desc, a.id limit %s",
        [search.lower(), limit],
    )


async def find_account(database: Database, who: str) -> dict[str, Any] | None:
    """Find an account by its id or its address; None when there is none."""
    column = "i.email" if "@" in who else "a.id::text"
    rows = await database.rows(f"{_ACCOUNTS} where {column} = %s", [who.lower()])
    return dict(rows[0]) if rows else None


async def set_plan(log: PostgresLog, account_id: str, plan: str) -> bool:
    """Put an account on a plan of `PLANS`; False when it is on it already, or is gone."""
    assert plan in PLANS
    async with log.transaction() as unit:
        await unit.lock(CATEGORY, [account_id])
        account = unit.state(CATEGORY, account_id)
        if account is None or account.plan == plan:
            return False
        meta = Meta(correlation_id=new_uuid(), actor="operator")
        unit.record(CATEGORY, account_id, account_id, [PlanChanged(at=unit.now, plan=plan)], meta)
    return True


async def set_limits(
    log: PostgresLog, account_id: str, changes: Mapping[str, int], *, reset: bool
) -> Limits | None:
    """Give an account limits of its own, by their names in `Limits`; None: the plan's alone hold.

    Those which are not named stay as they are; with `reset` they are the plan's again.
    """
    async with log.transaction() as unit:
        await unit.lock(CATEGORY, [account_id])
        account = unit.state(CATEGORY, account_id)
        if account is None:
            return None
        before = (None if reset else account.limits) or Limits()
        limits = replace(before, **changes)
        wanted = None if limits == Limits() else limits
        if wanted != account.limits:
            meta = Meta(correlation_id=new_uuid(), actor="operator")
            event = LimitsChanged(at=unit.now, limits=wanted)
            unit.record(CATEGORY, account_id, account_id, [event], meta)
    return wanted


async def surplus_cues(database: Database, account_id: str, limit: int) -> list[str]:
    """Name the active cues beyond a limit: the newest ones."""
    rows = await database.rows(
        "select id from cues where account_id = %s and status = 'active'"
        " order by created_at, id offset %s",
        [account_id, limit],
    )
    return [row["id"] for row in reversed(rows)]

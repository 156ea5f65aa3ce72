"""The account as its owner sees it (contract nr 18, 26)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from services.api.queries.pages import Reads


class Profile(NamedTuple):
    """An account with its counts; `api_key_prefix` is that of the active default key."""

    account_id: str
    email: str
    email_notifications: bool
    alert_webhook_url: str | None
    plan: str
    active_cues: int
    executions: int
    api_key_prefix: str | None
    created_at: datetime
    updated_at: datetime
    limits: Mapping[str, int] | None = None


async def find_profile(database: Reads, account_id: str) -> Profile | None:
    """Read the account with what it has used; None when it is gone."""
    rows = await database.rows(
        """
        select i.account_id::text as account_id, i.email, i.email_notifications,
               i.alert_webhook_url, a.plan, a.limits, a.created_at, i.updated_at,
               (select count(*) from api_cues c
                 where c.account_id = i.account_id and c.status = 'active') as active_cues,
               coalesce((select u.executions from api_usage u
                 where u.account_id = i.account_id
                   and u.period = date_trunc('month', now() at time zone 'utc')::date), 0)
                 as executions,
               (select k.prefix from api_keys k
                 where k.account_id = i.account_id and k.is_default and k.status = 'active'
                 order by k.created_at desc limit 1) as api_key_prefix
          from identities i join accounts a on a.id = i.account_id
         where i.account_id = %(account)s
        """,
        {"account": account_id},
    )
    return Profile(**rows[0]) if rows else None


async def find_webhook_secret(database: Reads, account_id: str) -> bytes | None:
    """Read the account's webhook secret, sealed; None when the account is gone."""
    rows = await database.rows(
        "select webhook_secret_sealed from identities where account_id = %(account)s",
        {"account": account_id},
    )
    return bytes(rows[0]["webhook_secret_sealed"]) if rows else None

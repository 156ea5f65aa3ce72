"""The secrets that sign what goes to accounts' alert webhooks, sealed; made when first needed."""

from __future__ import annotations

from collections.abc import Collection

from libs.events.log import PostgresUnit
from libs.runtime.crypto import Keyring
from libs.runtime.ids import new_webhook_secret

PURPOSE = "alert-webhook-secret"

_ADD = """
insert into alert_webhook_secrets (account_id, secret_sealed) values (%s, %s)
on conflict (account_id) do nothing
"""
_READ = """
select account_id::text, secret_sealed from alert_webhook_secrets
 where account_id = any(%s::uuid[])
"""


async def alert_webhook_secrets(
    unit: PostgresUnit, accounts: Collection[str], keyring: Keyring
) -> dict[str, tuple[bytes, ...]]:
    """Give each account's sealed secret."""
    found = await _read(unit, accounts)
    missing = sorted(set(accounts) - found.keys())
    if not missing:
        return found
    for account in missing:
        sealed = keyring.seal(
            account, PURPOSE, new_webhook_secret().removeprefix("whsec_").encode()
        )
        await unit.connection.execute(_ADD, [account, sealed])
    return await _read(unit, accounts)


async def _read(unit: PostgresUnit, accounts: Collection[str]) -> dict[str, tuple[bytes, ...]]:
    if not accounts:
        return {}
    cursor = await unit.connection.execute(_READ, [sorted(accounts)])
    return {account: (sealed,) for account, sealed in await cursor.fetchall()}

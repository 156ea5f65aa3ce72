"""The keys of alert webhooks, sealed: made when first read, here or by the alerts service."""

from __future__ import annotations

from libs.runtime.postgres import Connection


async def alert_secret(connection: Connection, account_id: str, fresh: bytes) -> bytes:
    """Read the sealed key; `fresh` becomes it when there is none yet."""
    await connection.execute(
        "insert into alert_webhook_secrets (account_id, secret_sealed) values (%s, %s)"
        " on conflict (account_id) do nothing",
        (account_id, fresh),
    )
    cursor = await connection.execute(
        "select secret_sealed from alert_webhook_secrets where account_id = %s", [account_id]
    )
    row = await cursor.fetchone()
    assert row is not None
    return bytes(row[0])


async def replace_alert_secret(connection: Connection, account_id: str, sealed: bytes) -> None:
    """Put a new key in place, at once."""
    await connection.execute(
        "insert into alert_webhook_secrets (account_id, secret_sealed) values (%s, %s)"
        " on conflict (account_id) do update set secret_sealed = excluded.secret_sealed",
        (account_id, sealed),
    )

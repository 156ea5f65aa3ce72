"""An account with something in every table that knows accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from libs.events.accounts import AccountRegistered
from libs.events.blobs import blob_of, put_blobs
from libs.events.envelope import Meta
from libs.events.log import PostgresLog
from libs.runtime.crypto import Keyring
from libs.runtime.ids import new_uuid
from tests.services.alerts.story import Story

WEBHOOK_SECRET = "whsec_planted_webhook_secret"
OLD_WEBHOOK_SECRET = "whsec_planted_previous_secret"
ALERT_SECRET = "whsec_planted_alert_secret"
API_KEY = "cue_sk_planted_api_key"
HEADER = '{"X-Token":"planted_header_value"}'
ANSWER = '{"api_key":"cue_sk_planted_in_an_answer"}'
SECRETS = (
    WEBHOOK_SECRET,
    OLD_WEBHOOK_SECRET,
    ALERT_SECRET,
    API_KEY,
    "planted_header_value",
    "planted_in_an_answer",
)


@dataclass(frozen=True)
class Tenant:
    """Whom the test is about."""

    id: str
    email: str
    headers_ref: str
    ticket: int
    cue_id: str


async def settle(log: PostgresLog, keyring: Keyring) -> Tenant:
    """Open an account, and fill every table with something of it."""
    story = Story(log)
    account, database = story.account_id, log.database
    email = f"{account}@example.com"
    async with log.transaction() as unit:
        unit.record(
            "account",
            account,
            account,
            [AccountRegistered(at=unit.now, account_id=account, plan="scale")],
            Meta(correlation_id="test", actor="test"),
        )
        headers = blob_of(keyring.seal(account, "callback-headers", HEADER.encode()))
        payload = blob_of(b'{"task":"a payload that is no secret"}')
        both = {(account, blob.sha256): blob.body for blob in (headers, payload)}
        await put_blobs(unit.connection, both)
    await story.begin(timedelta(hours=2))
    await story.execution()

    def sealed(purpose: str, secret: str) -> bytes:
        return keyring.seal(account, purpose, secret.encode())

    await database.execute(
        "insert into identities (account_id, email, webhook_secret_sealed,"
        " previous_webhook_secret_sealed) values (%s, %s, %s, %s)",
        [
            account,
            email,
            sealed("webhook-secret", WEBHOOK_SECRET),
            sealed("webhook-secret", OLD_WEBHOOK_SECRET),
        ],
    )
    await database.execute(
        "insert into api_keys (id, account_id, hash, prefix, label, is_default, created_by, sealed)"
        " values (%s, %s, sha256(%s), 'cue_sk_plant', 'Default', true, 'test', %s)",
        [new_uuid(), account, new_uuid().encode(), sealed("api-key", API_KEY)],
    )
    await database.execute(
        "insert into alert_webhook_secrets (account_id, secret_sealed) values (%s, %s)",
        [account, sealed("alert-webhook-secret", ALERT_SECRET)],
    )
    await database.execute(
        "insert into command_results (command_id, account_id, idempotency_key, request_hash, reply,"
        " created_at) values (%s, %s, 'k', 'h', json_build_object('command_id', 'x', 'answer',"
        " json_build_object('status', 201, 'sealed', translate(encode(%s, 'base64'), E'\\n', ''))),"
        " now())",
        [new_uuid(), account, sealed("answer", ANSWER)],
    )
    await database.execute(
        "insert into device_codes (code, email, expires_at)"
        " values (%s, %s, now() + interval '15 minutes')",
        [new_uuid(), email],
    )
    await database.execute(
        "insert into notifications (subject, channel, kind, account_id, content)"
        " values (%s, 'email', 'failure', %s, '{}')",
        [new_uuid(), account],
    )
    rows = await database.rows(
        "insert into support_tickets (account_id, subject, message, severity, type)"
        " values (%s, 'It does not work', 'Nothing happens when I do this.', 'high', 'bug')"
        " returning id",
        [account],
    )
    return Tenant(account, email, headers.sha256, rows[0]["id"], story.cue_id)

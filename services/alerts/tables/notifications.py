"""The notifications: one row for each thing and channel, due when it is next tried."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from libs.events.envelope import encode
from libs.events.log import PostgresUnit
from libs.events.quarantine import Batch
from libs.runtime.postgres import Database
from services.alerts.decider.notifying import Notification, Told, counts
from services.alerts.rules.pace import DIGEST_AFTER, LEASE

HELD_AT_ONCE = 500

_COLUMNS = (
    "subject, channel, kind, account_id::text, cue_id, execution_id::text, alert_id::text,"
    " content, tries, mailed_at"
)
_ADD = """
insert into notifications
       (subject, channel, kind, account_id, cue_id, execution_id, alert_id, content)
select subject, channel, kind, account_id, cue_id, execution_id, alert_id, content
  from json_populate_recordset(null::notifications, %s::json)
on conflict (subject, channel) do nothing
"""
_DUE = f"""
select {_COLUMNS} from notifications
 where due_at <= now() and account_id <> all(%s::uuid[])
   and subject || ' ' || channel <> all(%s::text[])
 order by due_at limit %s for update skip locked
"""  # noqa: S608 - our names
_NEXT_IN = """
select extract(epoch from min(due_at) - clock_timestamp())::float8 as next_in
  from notifications
 where due_at is not null and account_id <> all(%s::uuid[])
   and subject || ' ' || channel <> all(%s::text[])
"""
_BACKLOG = """
select count(*) as waiting, extract(epoch from now() - min(due_at))::float8 as age
  from (select due_at from notifications where due_at <= now() order by due_at limit 10000) due
"""
_BEGIN = """
update notifications n
   set tries = n.tries + 1, due_at = now() + %(lease)s,
       mailed_at = case when k.mail then coalesce(n.mailed_at, now()) end
  from json_to_recordset(%(keys)s::json) as k(subject text, channel text, mail boolean)
 where n.subject = k.subject and n.channel = k.channel
"""
_LOCK_MAIL = """
select pg_advisory_xact_lock(hashtextextended(account, 17))
  from (select account from unnest(%s::text[]) account order by account) accounts
"""
_MAILED = """
select account_id::text, count(*) from notifications
 where account_id = any(%s::uuid[]) and mailed_at > now() - interval '1 hour'
 group by account_id
"""
_HOLD = """
update notifications set status = 'held', due_at = null
 where channel = 'email' and subject = any(%s::text[])
"""
_ADD_DIGESTS = """
insert into notifications (subject, channel, kind, account_id, content, due_at)
select subject, 'email', 'digest', account_id, '{}', now() + %(after)s
  from json_to_recordset(%(digests)s::json) as d(subject text, account_id uuid)
 where exists (select from notifications h
                where h.account_id = d.account_id and h.status = 'held' and h.digest is null)
on conflict do nothing
"""
_TAKE_HELD = f"""
update notifications set digest = %(digest)s
 where (subject, channel) in (
   select subject, channel from notifications
    where account_id = %(account)s and status = 'held' and coalesce(digest, %(digest)s) = %(digest)s
    order by created_at, subject limit {HELD_AT_ONCE})
returning created_at, content
"""  # noqa: S608 - our names
_DROP = """
update notifications set status = 'dropped', due_at = null, ended_at = now()
 where (subject, channel) in (
   select subject, channel from json_to_recordset(%s::json) as k(subject text, channel text))
"""
_END = """
update notifications
   set status = %(status)s, due_at = %(due_at)s, error = %(error)s,
       ended_at = case when %(status)s <> 'waiting' then now() end
 where subject = %(subject)s and channel = %(channel)s
   and status = 'waiting' and tries = %(tries)s
"""
_END_HELD = """
update notifications set status = %(status)s, error = %(error)s, ended_at = now()
 where account_id = %(account)s and status = 'held' and digest = %(digest)s
returning alert_id::text
"""


async def add(unit: PostgresUnit, notifications: Sequence[Notification]) -> None:
    """Add what is to be told; what is there already is left alone."""
    if notifications:
        await unit.connection.execute(_ADD, [encode(notifications).decode()])


async def take_due(unit: PostgresUnit, batch: Batch, busy: Collection[str]) -> list[Notification]:
    """Lock notifications that are due and that nobody else holds, but for busy accounts'."""
    cursor = await unit.connection.execute(_DUE, [sorted(busy), batch.without, batch.limit])
    rows = await cursor.fetchall()
    batch.taken += [f"{subject} {channel}" for subject, channel, *_ in rows]
    return [_notification(row) for row in rows]


async def next_in(
    database: Database, busy: Collection[str], without: Sequence[str]
) -> float | None:
    """Seconds until the nearest is due, but for busy accounts' and some; None when none is."""
    rows = await database.rows(_NEXT_IN, [sorted(busy), without])
    return rows[0]["next_in"] if rows else None


async def backlog(database: Database) -> tuple[int, float | None]:
    """Count what is due and not told yet, 10,000 at most, and give the oldest's seconds since."""
    rows = await database.rows(_BACKLOG)
    return rows[0]["waiting"], rows[0]["age"]


async def begin_tries(unit: PostgresUnit, taken: Sequence[Notification]) -> None:
    """Note that these are tried now; one whose process dies is due again when its lease ends."""
    keys = [{"subject": n.subject, "channel": n.channel, "mail": counts(n)} for n in taken]
    await unit.connection.execute(_BEGIN, {"lease": LEASE, "keys": encode(keys).decode()})


async def mailed_last_hour(unit: PostgresUnit, accounts: Collection[str]) -> dict[str, int]:
    """Count the mails of these accounts in the last hour; nobody else counts them meanwhile."""
    await unit.connection.execute(_LOCK_MAIL, [sorted(accounts)])
    cursor = await unit.connection.execute(_MAILED, [sorted(accounts)])
    return dict(await cursor.fetchall())


async def hold(unit: PostgresUnit, subjects: Sequence[str]) -> None:
    """Hold mails back for their accounts' next digests."""
    await unit.connection.execute(_HOLD, [list(subjects)])


async def add_digests(unit: PostgresUnit, subjects: Mapping[str, str]) -> None:
    """Plan digests, `subjects` by account, where mails are held and none is planned."""
    digests = [{"subject": subject, "account_id": key} for key, subject in subjects.items()]
    await unit.connection.execute(
        _ADD_DIGESTS, {"after": DIGEST_AFTER, "digests": encode(digests).decode()}
    )


async def take_held(unit: PostgresUnit, digest: Notification) -> list[dict[str, Any]]:
    """Give the contents of the mails that go out with a digest, oldest first."""
    cursor = await unit.connection.execute(
        _TAKE_HELD, {"digest": digest.subject, "account": digest.account_id}
    )
    rows: list[tuple[datetime, dict[str, Any]]] = await cursor.fetchall()
    return [content for _, content in sorted(rows, key=lambda row: row[0])]


async def drop(unit: PostgresUnit, unwanted: Sequence[Notification]) -> None:
    """End what nobody wants to be told any more."""
    keys = [{"subject": n.subject, "channel": n.channel} for n in unwanted]
    await unit.connection.execute(_DROP, [encode(keys).decode()])


async def end_try(unit: PostgresUnit, notification: Notification, told: Told) -> bool:
    """Note how a try ended; false when it took so long that another one has begun."""
    cursor = await unit.connection.execute(
        _END,
        {
            "status": told.status,
            "due_at": told.due_at,
            "error": told.error,
            "subject": notification.subject,
            "channel": notification.channel,
            "tries": notification.tries,
        },
    )
    return cursor.rowcount == 1


async def end_held(unit: PostgresUnit, digest: Notification, told: Told) -> list[str]:
    """End the mails that went out with a digest; give the alerts among what they told."""
    cursor = await unit.connection.execute(
        _END_HELD,
        {
            "status": told.status,
            "error": told.error,
            "account": digest.account_id,
            "digest": digest.subject,
        },
    )
    return [alert_id for (alert_id,) in await cursor.fetchall() if alert_id is not None]


def _notification(row: Sequence[Any]) -> Notification:
    subject, channel, kind, account_id, cue_id, execution_id, alert_id, content, tries, at = row
    return Notification(
        subject=subject,
        channel=channel,
        kind=kind,
        account_id=account_id,
        cue_id=cue_id,
        execution_id=execution_id,
        alert_id=alert_id,
        content=content,
        tries=tries,
        mailed_at=at,
    )

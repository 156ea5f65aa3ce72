"""The alerts service's reads: what has happened to the cues in question."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from libs.events.base import Value, key_of
from libs.events.blobs import get_blobs
from libs.events.cue_settings import (
    CueSettings,
)
from libs.events.cues import (
    Cue,
)
from libs.events.envelope import Notice, decode, encode
from libs.events.execution_events import VerificationFailed
from libs.events.executions import Execution
from libs.events.log import PostgresUnit, month_of
from services.alerts.decider.episodes import PastAlert, Rejected
from services.alerts.decider.notifying import Notification, Target, of_grace, of_silence
from services.alerts.decider.windows import LatestSuccess

SUCCESSES = 50
"""Among how many of its latest executions a cue's latest success is looked for."""

_CHANGED = """
select e.state::text, c.state::text
  from execution_states e join cue_settings c on c.cue_id = e.cue_id
 where e.id = any(%s::uuid[]) and c.status <> 'deleted' order by e.created_at, e.id
"""
_HISTORY = """
select h.state::text
  from unnest(%(cues)s::text[], %(sought)s::int[]) wanted(cue_id, sought)
 cross join lateral (
   select created_at, id, state from execution_states x
    where x.cue_id = wanted.cue_id order by x.created_at desc, x.id desc limit wanted.sought
 ) h
 order by h.created_at desc, h.id desc
"""
_LOCK_CUES = """
select pg_advisory_xact_lock(hashtextextended(cue_id, 13))
  from (select cue_id from unnest(%s::text[]) cue_id order by cue_id) cues
"""
_LATEST_ALERTS = """
select wanted.cue_id, a.*
  from unnest(%(cues)s::text[]) wanted(cue_id)
 cross join lateral (
   select kind, episode, created_at, execution_id::text, acknowledged_at from alerts x
    where x.cue_id = wanted.cue_id and x.kind = %(kind)s
    order by x.created_at desc, x.id desc limit %(limit)s
 ) a order by a.created_at desc
"""
_ALERTS_OF_EXECUTIONS = """
select kind, episode, created_at, execution_id::text, acknowledged_at from alerts
 where execution_id = any(%s::uuid[])
"""
_REJECTIONS = """
select e.stream_id, e.version, e.data::text
  from json_to_recordset(%s::json) as wanted(stream_id text, version int, month date)
  join api_events e using (stream_id, version)
 where e.type = 'VerificationFailed'
"""
_CUES = "select cue_id, state::text from cue_settings where cue_id = any(%s::text[])"
_SUCCESSES = """
select wanted.cue_id, s.*
  from unnest(%(cues)s::text[]) wanted(cue_id)
 cross join lateral (
   select max(succeeded_at), case when count(*) = %(limit)s then min(created_at) end
     from (select created_at, succeeded_at from execution_successes x
            where x.cue_id = wanted.cue_id
            order by x.created_at desc, x.id desc limit %(limit)s) latest
 ) s
"""
_TARGETS = """
select account_id::text, email, email_notifications, alert_webhook_url from alert_targets
 where account_id = any(%s::uuid[])
"""
_SECRETS = """
select account_id::text, secret_sealed,
       case when previous_expires_at > now() then previous_sealed end
  from webhook_secrets where account_id = any(%s::uuid[])
"""
_GRACES = """
select u.account_id::text, p.plan, p.limits, u.period, u.grace_started_at
  from api_usage u join account_plans p using (account_id)
 where u.grace_started_at > now() - interval '1 day'
   and not exists (select from notifications n
                    where n.subject = 'grace:' || u.account_id || ':' || u.period)
"""
_SILENT_WORKERS = """
select account_id::text, worker_id, last_heartbeat_at
  from api_workers w
 where last_heartbeat_at between now() - interval '1 hour' and now() - %(silence)s
   and not exists (select from notifications n
                    where n.account_id = w.account_id and n.kind = 'worker'
                      and n.content->>'worker_id' = w.worker_id
                      and n.created_at > now() - interval '1 hour')
"""


class Changed(Value):
    """An execution that has changed, and its cue's settings."""

    execution: Execution
    settings: CueSettings


async def changed(unit: PostgresUnit, execution_ids: Collection[str]) -> list[Changed]:
    """Read executions and their cues' settings; those of deleted cues are left out."""
    cursor = await unit.connection.execute(_CHANGED, [sorted(execution_ids)])
    return [
        Changed(execution=decode(state, Execution), settings=decode(cue, Cue).facts.settings)
        for state, cue in await cursor.fetchall()
    ]


async def lock_cues(unit: PostgresUnit, cue_ids: Collection[str]) -> None:
    """Have these cues' alerts decided by nobody else meanwhile."""
    await unit.connection.execute(_LOCK_CUES, [sorted(cue_ids)])


async def history(unit: PostgresUnit, sought: Mapping[str, int]) -> dict[str, list[Execution]]:
    """Read cues' latest executions, newest first, `sought` of each."""
    cursor = await unit.connection.execute(
        _HISTORY, {"cues": list(sought), "sought": list(sought.values())}
    )
    found: dict[str, list[Execution]] = {cue_id: [] for cue_id in sought}
    for (state,) in await cursor.fetchall():
        execution: Any = decode(state, Execution)
        found[execution.facts.cue_id].append(execution)
    return found


async def latest_alerts(
    unit: PostgresUnit, cue_ids: Collection[str], kind: str, limit: int = 1
) -> dict[str, list[PastAlert]]:
    """Read the latest alerts of one kind of each cue that has any, newest first."""
    cursor = await unit.connection.execute(
        _LATEST_ALERTS, {"cues": sorted(cue_ids), "kind": kind, "limit": limit}
    )
    found: dict[str, list[PastAlert]] = {}
    for cue_id, *row in await cursor.fetchall():
        found.setdefault(cue_id, []).append(_past(row))
    return found


async def alerts_of(unit: PostgresUnit, execution_ids: Collection[str]) -> list[PastAlert]:
    """Read all alerts about these executions."""
    cursor = await unit.connection.execute(_ALERTS_OF_EXECUTIONS, [sorted(execution_ids)])
    return [_past(row) for row in await cursor.fetchall()]


async def rejections(unit: PostgresUnit, notices: Sequence[Notice]) -> dict[str, list[Rejected]]:
    """Read which entries into `verification_failed` are told, by execution."""
    wanted = [
        {"stream_id": n.stream_id, "version": n.version, "month": month_of(n.stream_id)}
        for n in notices
        if n.type == VerificationFailed.__name__
    ]
    if not wanted:
        return {}
    cursor = await unit.connection.execute(_REJECTIONS, [encode(wanted).decode()])
    found: dict[str, list[Rejected]] = {}
    for stream_id, version, data in await cursor.fetchall():
        event = decode(data, VerificationFailed)
        entry = Rejected(version=version, missing=event.missing)
        found.setdefault(key_of(stream_id), []).append(entry)
    return found


async def reported_errors(unit: PostgresUnit, failed: Sequence[Execution]) -> dict[str, str]:
    """Read what the agents said went wrong, by execution, where they said it."""
    facts = [execution.facts for execution in failed]
    refs = {
        f.id: (f.account_id, f.outcome.report.details_ref)
        for f in facts
        if f.outcome is not None and f.outcome.report.details_ref is not None
    }
    bodies = await get_blobs(unit.connection, set(refs.values())) if refs else {}
    said = {key: decode(bodies[ref], dict).get("error") for key, ref in refs.items()}
    return {key: error for key, error in said.items() if isinstance(error, str)}


async def targets(unit: PostgresUnit, accounts: Collection[str]) -> dict[str, Target]:
    """Read where accounts want to be told."""
    cursor = await unit.connection.execute(_TARGETS, [sorted(accounts)])
    return {
        account: Target(email=email, email_notifications=wanted, alert_webhook_url=url)
        for account, email, wanted, url in await cursor.fetchall()
    }


async def graces(unit: PostgresUnit) -> list[Notification]:
    """Find months that were used up within a day, and of which nobody was told."""
    cursor = await unit.connection.execute(_GRACES)
    return [of_grace(*row) for row in await cursor.fetchall()]


async def silent_workers(unit: PostgresUnit, silence: timedelta) -> list[Notification]:
    """Find workers that fell silent within an hour, and of which nobody was told in that time."""
    cursor = await unit.connection.execute(_SILENT_WORKERS, {"silence": silence})
    return [of_silence(*row) for row in await cursor.fetchall()]


async def webhook_secrets(
    unit: PostgresUnit, accounts: Collection[str]
) -> dict[str, tuple[bytes, ...]]:
    """Read accounts' sealed webhook secrets: the present one, and the previous while both sign."""
    if not accounts:
        return {}
    cursor = await unit.connection.execute(_SECRETS, [sorted(accounts)])
    return {
        account: (current, previous) if previous is not None else (current,)
        for account, current, previous in await cursor.fetchall()
    }


async def cues_of(unit: PostgresUnit, cue_ids: Collection[str]) -> dict[str, Cue]:
    """Read cues as they are now."""
    cursor = await unit.connection.execute(_CUES, [sorted(cue_ids)])
    return {cue_id: decode(state, Cue) for cue_id, state in await cursor.fetchall()}


async def successes(unit: PostgresUnit, cue_ids: Collection[str]) -> dict[str, LatestSuccess]:
    """Read when each cue last succeeded, as far as its latest executions tell."""
    cursor = await unit.connection.execute(
        _SUCCESSES, {"cues": sorted(cue_ids), "limit": SUCCESSES}
    )
    return {
        cue_id: LatestSuccess(at=at, sought_since=since)
        for cue_id, at, since in await cursor.fetchall()
    }


def _past(row: Sequence[Any]) -> PastAlert:
    kind, episode, created_at, execution_id, acknowledged_at = row
    return PastAlert(
        kind=kind,
        episode=episode,
        created_at=created_at,
        execution_id=execution_id,
        acknowledged_at=acknowledged_at,
    )

"""What sending an attempt needs: its payload, headers and secrets, as they are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from libs.events.base import Value
from libs.events.blobs import BlobKey, get_blobs
from libs.events.cue_settings import (
    CueSettings,
)
from libs.events.envelope import decode
from libs.events.executions import Facts
from libs.events.log import PostgresUnit
from libs.runtime.clock import ServerClock
from libs.runtime.crypto import Keyring
from services.dispatcher import queries
from services.dispatcher.adapters.webhook import Attempt
from services.dispatcher.queries import SealedSecrets

KNOWN_SECRETS = 10_000


class Planned(Value):
    """An attempt that is to be made; `test` marks one that belongs to no execution."""

    facts: Facts
    epoch: int
    settings: CueSettings
    test: bool = False


class Preparing:
    """Reads and unseals what attempts need, for many at once."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._opened = lru_cache(maxsize=KNOWN_SECRETS)(keyring.open)

    async def attempts(self, unit: PostgresUnit, planned: Sequence[Planned]) -> list[Attempt]:
        """Give each planned attempt with all that sending it needs. Raises `CannotOpen`."""
        if not planned:
            return []
        secrets = await queries.secrets_of(unit, {item.facts.account_id for item in planned})
        wanted = {key for item in planned for key in _refs(item)}
        blobs = await get_blobs(unit.connection, wanted) if wanted else {}
        clock = ServerClock.showing(unit.now)
        return [
            self._attempt(item, secrets[item.facts.account_id], blobs, clock) for item in planned
        ]

    def _attempt(
        self,
        item: Planned,
        sealed: SealedSecrets,
        blobs: Mapping[BlobKey, bytes],
        clock: ServerClock,
    ) -> Attempt:
        account = item.facts.account_id
        keys = [sealed.current] + ([sealed.previous] if sealed.previous else [])
        payload: Any = {}
        if item.facts.payload.sha256 is not None:
            payload = msgspec.json.decode(blobs[account, item.facts.payload.sha256])
        headers: dict[str, str] = {}
        if (ref := item.settings.callback.headers_ref) is not None:
            opened = self._keyring.open(account, "callback-headers", blobs[account, ref])
            headers = decode(opened, dict[str, str])
        return Attempt(
            facts=item.facts,
            epoch=item.epoch,
            settings=item.settings,
            payload=payload,
            headers=headers,
            secrets=tuple(self._opened(account, "webhook-secret", key).decode() for key in keys),
            clock=clock,
            test=item.test,
        )


def _refs(item: Planned) -> list[BlobKey]:
    refs = (item.facts.payload.sha256, item.settings.callback.headers_ref)
    return [(item.facts.account_id, ref) for ref in refs if ref is not None]

"""The service's own cue: made at the start, answered like any webhook, and watched."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog
from prometheus_client import Gauge
from starlette.responses import Response

from libs.events.accounts import CATEGORY, AccountRegistered
from libs.events.bus import Refused, Unanswered
from libs.events.envelope import Meta
from libs.runtime.clock import utc_now
from libs.runtime.health import Health
from libs.runtime.ids import jittered, new_uuid, new_webhook_secret
from libs.runtime.postgres import Conflict, Unavailable
from services.api.queries.canary import AT_ONCE, read_cue, read_runs
from services.api.routes.call import Call
from services.api.routes.issuing import WEBHOOK_SECRET
from services.api.routes.operation import Access, Operations, answer
from services.api.routes.ports import Ports
from services.api.routes.shapes import Lenient, NoQuery
from services.api.routes.wire import Wire
from services.api.rules.canary import ACCOUNT_ID, ADDRESS, CUE_ID, PATH, PLAN, next_command
from services.api.rules.uptime import DAYS, Uptime, settled
from services.api.tables.identities import NewIdentity, insert_identity

log = structlog.get_logger()

EVERY_SECONDS = 15.0
LOOK_SECONDS = 20.0
ANSWER_SECONDS = 5.0

LAST_SUCCESS = Gauge(
    "cueapi_canary_last_success_timestamp_seconds",
    "When the service's own cue was last due of which all went well, in unix seconds",
)
LATENESS = Gauge(
    "cueapi_canary_lateness_seconds",
    "From that time to the delivery of it",
)

canary = Operations("Health")


class CanaryBody(Lenient):
    """The delivery, whatever is in it."""


class CanaryWire(Wire):
    """An outcome, as any agent reports one in its answer."""

    success: bool


@canary.add(
    "POST",
    PATH,
    body=CanaryBody,
    query=NoQuery,
    answers={200: CanaryWire},
    access=Access.OPEN,
)
async def answer_canary(_: Call[CanaryBody, NoQuery]) -> Response:
    """Answer the service's own cue, which is delivered here each minute."""
    return answer(CanaryWire(success=True))


class Canary:
    """A part of the process: keeps the cue as it should be, and reads its runs into `uptime`.

    Every replica may run one: the account and the cue are made once, whoever comes first.
    """

    name = "canary"

    def __init__(self, ports: Ports, health: Health, *, wanted: bool) -> None:
        self._ports = ports
        self._health = health
        self._wanted = wanted
        self._is_set = False
        self._read_to: datetime | None = None

    async def run(self) -> None:
        """Work until cancelled; Postgres and the broker being away are waited out."""
        while True:
            self._health.beat(self.name)
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self.run_once()
            except (Unavailable, Conflict, Unanswered, Refused, TimeoutError) as error:
                log.warning("the canary waits", error=repr(error))
            self._health.beat(self.name)
            await asyncio.sleep(jittered(EVERY_SECONDS))

    async def run_once(self) -> None:
        """Make the cue what it should be, until it is; then read the runs that were settled since.

        Raises `Unavailable`, `Conflict`, `Unanswered` and `Refused`.
        """
        if not self._is_set:
            await self._set()
            self._is_set = True
        if not self._wanted:
            return
        while await self._read() == AT_ONCE:
            self._health.beat(self.name)

    async def _set(self) -> None:
        base_url = self._ports.rules.base_url
        cue = await read_cue(self._ports.store)
        command = next_command(cue, base_url, wanted=self._wanted)
        if command is None:
            return
        if cue is None:
            await self._open_account()
        meta = Meta(correlation_id=CUE_ID, actor="system")
        try:
            await self._ports.bus.ask_with_meta(command, meta=meta, timeout=ANSWER_SECONDS)
        except Refused as refused:
            if refused.rejection.code != "duplicate_cue_name":  # another replica came first
                raise

    async def _open_account(self) -> None:
        secret = new_webhook_secret().encode()
        sealed = self._ports.keyring.seal(ACCOUNT_ID, WEBHOOK_SECRET, secret)
        async with self._ports.log.transaction() as unit:
            if not await insert_identity(unit.connection, NewIdentity(ACCOUNT_ID, ADDRESS, sealed)):
                return
            opened = AccountRegistered(at=unit.now, account_id=ACCOUNT_ID, plan=PLAN)
            meta = Meta(correlation_id=new_uuid(), actor="system")
            unit.record(CATEGORY, ACCOUNT_ID, ACCOUNT_ID, [opened], meta)

    async def _read(self) -> int:
        now, uptime = utc_now(), self._ports.uptime
        after = self._read_to or now - timedelta(days=DAYS)
        found = await read_runs(self._ports.store, after)
        for run in settled(found, now):
            uptime.add(run)
            self._read_to = run.fired_at
        uptime.forget(now.date())
        _tell(uptime)
        return len(found)


def _tell(uptime: Uptime) -> None:
    good = uptime.last_good
    if good is not None and good.delivered_at is not None:
        LAST_SUCCESS.set(good.due_at.timestamp())
        LATENESS.set((good.delivered_at - good.due_at).total_seconds())

"""From notifications that are due to what is tried now: where each goes, and what it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from libs.events.base import Value
from libs.events.cue_settings import (
    CueSettings,
)
from libs.events.cues import (
    DeletedCue,
)
from libs.events.log import PostgresUnit
from libs.runtime.crypto import Keyring
from libs.runtime.ids import new_uuid
from libs.runtime.mail.letters import Letter
from libs.runtime.mail.sending import Mailer, NotSent
from services.alerts import queries
from services.alerts.adapters.webhook import Webhook
from services.alerts.decider.notifying import Notification, counts, destination
from services.alerts.rules.letters import digest, letter
from services.alerts.rules.links import Links
from services.alerts.rules.pace import mails_admitted
from services.alerts.tables import notifications
from services.alerts.tables.secrets import PURPOSE, alert_webhook_secrets

PURPOSES: Mapping[str, str] = {"webhook": "webhook-secret", "alert_webhook": PURPOSE}
"""What the secret of each channel is sealed for."""

Send = Callable[[], Awaitable[str | None]]
"""Sends one thing; gives what went wrong, or None."""

Addressed = tuple[Notification, str]
"""A notification and where it goes."""


class Ready(Value):
    """A try that may begin: its lease is written down, its place in the hour is taken."""

    notification: Notification
    send: Send


class Desk:
    """Where notifications are addressed, paced, written and signed."""

    def __init__(self, mailer: Mailer, webhook: Webhook, keyring: Keyring, links: Links) -> None:
        self._mailer = mailer
        self._webhook = webhook
        self._keyring = keyring
        self._links = links

    async def prepare(self, unit: PostgresUnit, due: Sequence[Notification]) -> list[Ready]:
        """Begin what can be tried of these locked notifications; hold or drop the rest."""
        addressed = await _addressed(unit, due)
        admitted = await _admitted(unit, addressed)
        if not admitted:
            return []
        await notifications.begin_tries(unit, [notification for notification, _ in admitted])
        begun = [(replace(n, tries=n.tries + 1), to) for n, to in admitted]
        mails = [(n, to) for n, to in begun if n.channel == "email"]
        posts = [(n, to) for n, to in begun if n.channel != "email"]
        return [*await self._letters(unit, mails), *await self._posts(unit, posts)]

    async def _letters(self, unit: PostgresUnit, mails: Sequence[Addressed]) -> list[Ready]:
        ready = []
        for notification, to in mails:
            if notification.kind == "digest":
                held = await notifications.take_held(unit, notification)
                if not held:
                    await notifications.drop(unit, [notification])
                    continue
                text = digest(to, notification.subject, held, self._links)
            else:
                text = letter(to, notification.subject, notification.content, self._links)
            ready.append(Ready(notification=notification, send=partial(self._mail, text)))
        return ready

    async def _posts(self, unit: PostgresUnit, posts: Sequence[Addressed]) -> list[Ready]:
        of_cues = {n.account_id for n, _ in posts if n.channel == "webhook"}
        of_accounts = {n.account_id for n, _ in posts if n.channel == "alert_webhook"}
        secrets = {
            "webhook": await queries.webhook_secrets(unit, of_cues),
            "alert_webhook": await alert_webhook_secrets(unit, of_accounts, self._keyring),
        }
        return [
            Ready(
                notification=notification,
                send=partial(self._post, url, notification, secrets[notification.channel]),
            )
            for notification, url in posts
        ]

    async def _mail(self, text: Letter) -> str | None:
        try:
            await self._mailer.send(text)
        except NotSent as error:
            return str(error)
        return None

    async def _post(
        self, url: str, notification: Notification, sealed: Mapping[str, Sequence[bytes]]
    ) -> str | None:
        account = notification.account_id
        purpose = PURPOSES[notification.channel]
        opened = tuple(
            self._keyring.open(account, purpose, secret).decode() for secret in sealed[account]
        )
        return await self._webhook.send(url, notification.content, opened)


async def _addressed(unit: PostgresUnit, due: Sequence[Notification]) -> list[Addressed]:
    """Look up where each goes as things are now; drop what is wanted no longer."""
    targets = await queries.targets(unit, {n.account_id for n in due})
    cues = await queries.cues_of(unit, {n.cue_id for n in due if n.cue_id is not None})
    settings: dict[str | None, CueSettings] = {
        key: cue.facts.settings for key, cue in cues.items() if not isinstance(cue, DeletedCue)
    }
    found = [(n, destination(n, targets.get(n.account_id), settings.get(n.cue_id))) for n in due]
    if unwanted := [n for n, to in found if to is None]:
        await notifications.drop(unit, unwanted)
    return [(n, to) for n, to in found if to is not None]


async def _admitted(unit: PostgresUnit, addressed: Sequence[Addressed]) -> list[Addressed]:
    """Hold back mails beyond their accounts' hourly number, and plan digests of them."""
    fresh: dict[str, list[Notification]] = {}
    for notification, _ in addressed:
        if _takes_a_place(notification):
            fresh.setdefault(notification.account_id, []).append(notification)
    if not fresh:
        return list(addressed)
    mailed = await notifications.mailed_last_hour(unit, fresh)
    held: set[str] = set()
    digests: dict[str, str] = {}
    for account, mails in fresh.items():
        back = mails[mails_admitted(len(mails), mailed.get(account, 0)) :]
        held |= {notification.subject for notification in back}
        if back:
            digests[account] = f"digest:{new_uuid()}"
    if held:
        await notifications.hold(unit, sorted(held))
        await notifications.add_digests(unit, digests)
    return [(n, to) for n, to in addressed if not (n.channel == "email" and n.subject in held)]


def _takes_a_place(notification: Notification) -> bool:
    """Whether it is a mail that counts, and was not counted when it was tried before."""
    return counts(notification) and notification.mailed_at is None

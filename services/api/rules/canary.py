"""The service's own cue: what it is, and what must be done so that it is as it should be. Pure."""

from __future__ import annotations

from libs.events.base import Command
from libs.events.cue_settings import (
    Callback,
    CueSettings,
    Delivery,
    OnFailure,
    Retry,
    Schedule,
)
from libs.events.cues import (
    ActiveCue,
    CreateCue,
    Cue,
    UpdateCue,
    status,
)

ACCOUNT_ID = "00000000-0000-7000-8000-0000000ca7a2"
CUE_ID = "cue_statuscanary"
PLAN = "scale"
ADDRESS = "canary"
"""In place of an e-mail address, and none: nobody can register it or sign in with it."""

PATH = "/v1/echo/canary"


def next_command(cue: Cue | None, base_url: str, *, wanted: bool) -> Command | None:
    """What brings the cue to where it should be; None when it is there, or was deleted.

    Its callback follows `base_url`; one that is not `wanted` is paused, and never made.
    """
    url = base_url + PATH
    if cue is None:
        return (
            CreateCue(account_id=ACCOUNT_ID, cue_id=CUE_ID, settings=_settings(url))
            if wanted
            else None
        )
    if status(cue) not in ("active", "paused"):
        return None
    changes = {} if cue.facts.settings.callback.url == url else {"callback": {"url": url}}
    to = "active" if wanted else "paused"
    if not changes and isinstance(cue, ActiveCue) is wanted:
        return None
    return UpdateCue(account_id=ACCOUNT_ID, cue_id=CUE_ID, changes=changes, status=to)


def _settings(url: str) -> CueSettings:
    # One try, for the next one is due in a minute; and nobody is to be told of a failure by mail.
    return CueSettings(
        name="canary",
        schedule=Schedule(cron="* * * * *"),
        callback=Callback(url=url),
        retry=Retry(max_attempts=1),
        delivery=Delivery(timeout_seconds=20, outcome_deadline_seconds=60),
        catch_up="skip_missed",
        on_failure=OnFailure(email=False),
    )

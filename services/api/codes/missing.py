"""There is nothing there: 404, 405 and 410."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.codes.base import Code

_OTHERS = "A mistyped or deleted one, or one of another account."


MISSING: Mapping[str, Code] = {
    "cue_not_found": Code(
        404,
        "The account has no cue with this id.",
        _OTHERS,
        "List the account's cues with GET /v1/cues.",
        "no cue of this account has this id",
    ),
    "execution_not_found": Code(
        404,
        "The account has no execution with this id.",
        _OTHERS + " Executions go with their cue.",
        "List the account's executions with GET /v1/executions.",
        "no execution of this account has this id",
    ),
    "alert_not_found": Code(
        404,
        "The account has no alert with this id.",
        _OTHERS,
        "List the account's alerts with GET /v1/alerts.",
        "no alert of this account has this id",
    ),
    "ticket_not_found": Code(
        404,
        "The account has no ticket with this number.",
        _OTHERS,
        "List the account's tickets with GET /v1/support.",
        "no ticket of this account has this number",
    ),
    "worker_not_found": Code(
        404,
        "The account has no worker with this id.",
        "It never sent a heartbeat, or was removed.",
        "List the account's workers with GET /v1/workers.",
        "no worker of this account has this id",
    ),
    "device_code_not_found": Code(
        404,
        "There is no sign-in with this code.",
        "A mistyped code, or one of long ago.",
        "Begin a sign-in with POST /v1/auth/device-code.",
        "no sign-in has this code",
    ),
    "not_found": Code(
        404,
        "There is nothing at this path.",
        "A mistyped path, a key id that is unknown, or a feature that this server has switched"
        " off.",
        "Compare the path with the reference: GET /openapi.json lists every one.",
        "there is nothing at this path",
    ),
    "method_not_allowed": Code(
        405,
        "The path exists, but not for this method.",
        "PUT in place of PATCH, or GET on an action.",
        "Use one of the methods that the Allow header names.",
        "PUT is not a method of this path",
    ),
    "timeline_archived": Code(
        410,
        "The execution's events are no longer at hand.",
        "The operator has moved that month of the log into an archive. The execution itself is"
        " still there.",
        "Read the execution with GET /v1/executions/{id}, or ask the operator for that month.",
        "this execution's events were moved to an archive",
    ),
    "plaintext_unavailable": Code(
        410,
        "The default key cannot be shown again.",
        "Keys that were minted are shown once; and without SESSION_SECRET, or with revealing"
        " switched off, no key is kept readable.",
        "Make a new key with POST /v1/auth/keys, or replace it with POST /v1/auth/key/regenerate.",
        "the default key cannot be shown; make a new one",
    ),
}

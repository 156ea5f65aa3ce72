"""What was asked does not fit the state of things: 409 and 412."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.codes.base import Code

CONFLICTS: Mapping[str, Code] = {
    "outcome_already_recorded": Code(
        409,
        "The execution has its outcome already.",
        "Two reports, by a retry or by two workers; or the answer to the webhook held one.",
        "The first outcome stands; add to it with PATCH .../evidence.",
        "an outcome has been recorded already",
    ),
    "execution_in_flight": Code(
        409,
        "Only an execution that has ended can be replayed.",
        "It is pending, delivering or retrying.",
        "Wait until the execution has ended, then replay it.",
        "this execution has not ended yet",
    ),
    "execution_not_claiming": Code(
        409,
        "The execution is held by no worker.",
        "It has ended, its lease was lost, or it is delivered to a webhook.",
        "Stop working on it, and claim the next one.",
        "no worker holds this execution",
    ),
    "claim_failed": Code(
        409,
        "There is nothing to claim, or this one is not to be had.",
        "Another worker was first, it has ended, lies in the future or goes to a webhook.",
        "Another worker was first, or nothing is due; ask for claimable executions.",
        "nothing can be claimed now",
    ),
    "no_outcome": Code(
        409,
        "The execution has no outcome that this could concern.",
        "Evidence was sent before the outcome.",
        "Report the outcome first, with POST .../outcome.",
        "no outcome has been recorded",
    ),
    "invalid_state": Code(
        409,
        "This cannot be done in the present state.",
        "A completed cue was paused, an outcome was verified twice, or a cue without a callback"
        " tested.",
        "Read the resource again and see its status.",
        "the outcome is verification_failed, which cannot be verified",
    ),
    "duplicate_cue_name": Code(
        409,
        "A cue of this account has this name.",
        "A program that creates its cue at every start.",
        "Choose another name, or update the cue that has it.",
        "a cue named 'morning-briefing' exists already",
    ),
    "duplicate_email": Code(
        409,
        "An account has this address.",
        "A second registration.",
        "Sign in with this address, or use another one.",
        "an account with this address exists already",
    ),
    "device_code_exists": Code(
        409,
        "A sign-in with this code is under way.",
        "A client that chooses its codes chose the same one twice.",
        "Leave device_code out, and the server makes one.",
        "a sign-in with this code is under way",
    ),
    "idempotency_key_conflict": Code(
        409,
        "The idempotency key was used with another body.",
        "One key for two different requests within 24 hours.",
        "Make a new key for every new request; repeat a key only with the same body.",
        "this idempotency key was used with another body; use a new key",
    ),
    "last_key_protected": Code(
        409,
        "The account's only active key cannot be ended.",
        "Without a key nobody could use the account.",
        "Make another key first, with POST /v1/auth/keys.",
        "this is the account's only active key; make another one first",
    ),
    "precondition_failed": Code(
        412,
        "The cue is not what it was when its ETag was read.",
        "Somebody changed it in between.",
        "Read the cue again and repeat the change on what it is now.",
        "the cue has been changed; it is at version 4",
    ),
}

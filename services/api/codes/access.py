"""Who asks, and how much: 401, 403 and 429."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.codes.base import Code

ACCESS: Mapping[str, Code] = {
    "invalid_api_key": Code(
        401,
        "The request has no token, or one that no account has.",
        "No `Authorization` header, another scheme than Bearer, a key cut when it was copied, or a"
        " key that ended over 30 days ago.",
        "Send the header Authorization: Bearer cue_sk_...",
        "no account has this key",
    ),
    "key_rotated": Code(
        401,
        "The key was replaced by a new one.",
        "Somebody regenerated it; it ended at that moment.",
        "This key was replaced; use the new one.",
        "this key is not valid any more",
    ),
    "key_revoked": Code(
        401,
        "The key was ended.",
        "Somebody deleted it; it ended at that moment.",
        "Use another key of the account, or sign in to make one.",
        "this key is not valid any more",
    ),
    "session_expired": Code(
        401,
        "The session is over.",
        "Sessions last 24 hours.",
        "Sign in again.",
        "this session has expired",
    ),
    "invalid_session": Code(
        401,
        "The token looks like a session but is none of ours.",
        "Another server's session, one that was altered, or an account that is gone.",
        "Sign in again.",
        "this session was not signed here",
    ),
    "invalid_token": Code(
        401,
        "A one-time token does not hold.",
        "It was used before, or expired; or an event was not signed by Stripe.",
        "Begin a new sign-in; a one-time token serves once.",
        "this sign-in token is unknown, used or expired",
    ),
    "cue_limit_exceeded": Code(
        403,
        "The plan's number of active cues is reached.",
        "Paused, completed and failed cues do not count; resuming one does.",
        "Pause or delete a cue, or upgrade the plan.",
        "Free plan allows 10 active cues. Upgrade for more.",
    ),
    "execution_limit_exceeded": Code(
        403,
        "The month's executions are used up, and the 24 hours of grace are over.",
        "Scheduled, caught-up, fired and replayed executions count once each; retries are free.",
        "Upgrade the plan, or wait for the next calendar month (UTC).",
        "Free plan allows 300 executions a month. Upgrade for more.",
    ),
    "not_execution_owner": Code(
        403,
        "Another worker holds this execution.",
        "The lease was lost, and the execution was claimed anew.",
        "Drop this execution and claim the next one.",
        "this worker does not hold the execution",
    ),
    "support_not_eligible": Code(
        403,
        "The account may not open tickets yet.",
        "It is less than an hour old, or has no cue.",
        "Create a cue, and ask again when the account is an hour old.",
        "support is for accounts that are an hour old and have a cue",
    ),
    "rate_limit_exceeded": Code(
        429,
        "Too many requests in a minute, or too many of this kind.",
        "A loop without a pause, or several programs with one key. Refused requests do not count.",
        "Wait as long as Retry-After says.",
        "more than 60 requests in 60 seconds",
    ),
}

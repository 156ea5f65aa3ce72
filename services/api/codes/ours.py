"""Not the caller's fault: 500, 502 and 503."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.codes.base import Code

OURS: Mapping[str, Code] = {
    "internal_error": Code(
        500,
        "Something went wrong on our side.",
        "A fault in the server; it has been logged under the request id.",
        "Send it again; if it stays, open a ticket and name the request_id.",
        "something went wrong on our side",
    ),
    "stripe_error": Code(
        502,
        "Stripe refused or did not answer.",
        "Stripe is down, or the server's prices are not set up.",
        "Try again in a minute; if it stays, open a ticket and name the request_id.",
        "Stripe did not answer in time",
    ),
    "service_unavailable": Code(
        503,
        "Something that the server needs does not answer now.",
        "The database or the message broker is being restarted.",
        "Send it again after Retry-After; with an Idempotency-Key this is safe.",
        "the database is not available right now",
    ),
    "billing_unavailable": Code(
        503,
        "This server sells no plans.",
        "It has no Stripe account: STRIPE_SECRET_KEY is not set.",
        "Ask the operator of this server to change the plan.",
        "this server has no Stripe account",
    ),
    "session_unavailable": Code(
        503,
        "This server has no sessions.",
        "SESSION_SECRET is not set.",
        "Use an API key, or have the operator set SESSION_SECRET.",
        "this server has no SESSION_SECRET",
    ),
}

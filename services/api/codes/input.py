"""What was sent is wrong: 400, 413 and 422."""

from __future__ import annotations

from collections.abc import Mapping

from services.api.codes.base import Code

INPUT: Mapping[str, Code] = {
    "invalid_json": Code(
        400,
        "The request body is not JSON.",
        "A missing quote or comma, a trailing comma, `NaN`, a number beyond double range, nesting"
        " over 100 levels, or text that is not UTF-8.",
        "Send the body through a JSON encoder instead of building the text by hand.",
        "Expecting ',' delimiter at line 1, column 24",
    ),
    "invalid_schedule": Code(
        400,
        "The schedule cannot come due.",
        "A cron expression with a mistake or one that never matches, a `type` that is neither"
        " `recurring` nor `once`, `cron` or `at` missing or both given, or an `at` in the past.",
        "Try it with POST /v1/schedules/preview, which tells when it would be due.",
        "schedule.cron: minute 61 is not between 0 and 59",
    ),
    "invalid_payload_size": Code(
        400,
        "The payload is over 1,048,576 bytes of compact JSON, or the body over 2 MiB.",
        "Documents or files inside the payload; on fire, a merge of two payloads.",
        "Keep large data elsewhere and put a link to it into the payload.",
        "the payload has 1300000 bytes as compact JSON; at most 1048576 are allowed",
    ),
    "invalid_payload": Code(
        400,
        "The payload holds text that no database can keep.",
        "U+0000 or an unpaired surrogate in a string of the payload.",
        "Remove U+0000 and repair the text's encoding before sending it.",
        "text must not contain U+0000",
    ),
    "invalid_callback_url": Code(
        400,
        "`callback.url` or `on_failure.webhook` is not a URL that we call.",
        "Not absolute, not https, with a user name or password, or on a private or local network.",
        "Use a public https URL; for local tests let a tunnel forward to your machine.",
        "callback.url: the URL must start with https://",
    ),
    "invalid_alert_webhook_url": Code(
        400,
        "`alert_webhook_url` is not a URL that we call.",
        "Not absolute, not https, with a user name or password, or on a private or local network.",
        "Use a public https URL, or null to clear it.",
        "alert_webhook_url: the URL must start with https://",
    ),
    "metadata_too_large": Code(
        400,
        "An outcome's `metadata` is over 10,240 bytes of JSON.",
        "Logs or results inside the metadata.",
        "Keep large data elsewhere and send its address as result_url or result_ref.",
        "metadata has at most 10240 bytes of JSON",
    ),
    "invalid_filter": Code(
        400,
        "A filter has a value that nothing can have.",
        "A status or type with a typo, or from another list.",
        "Use one of the values that the message names, or leave the filter out.",
        "status must be one of active, paused, completed, failed",
    ),
    "conflicting_filters": Code(
        400,
        "Two filters exclude each other.",
        "`status` together with `status__in`.",
        "Send one of the two.",
        "send either status or status__in",
    ),
    "invalid_status_in": Code(
        400,
        "`status__in` names no status.",
        "An empty list, often from a variable that was not filled.",
        "Send statuses with commas between them, or leave the filter out.",
        "status__in needs at least one status",
    ),
    "confirmation_required": Code(
        400,
        "The request destroys something and was not confirmed.",
        "The header `X-Confirm-Destructive` is missing where it is needed, or is not `true`.",
        "Send the header X-Confirm-Destructive: true.",
        "send the header X-Confirm-Destructive: true",
    ),
    "invalid_device_code": Code(
        400,
        "The device code has the wrong form.",
        "Fewer than 6 or more than 128 characters, or others than letters, digits, - and _.",
        "Leave device_code out, and the server makes one.",
        "device_code: use 6 to 128 letters, digits, - and _",
    ),
    "device_code_expired": Code(
        400,
        "The sign-in took longer than 15 minutes.",
        "The link was mailed or the address submitted too late.",
        "Begin again with POST /v1/auth/device-code.",
        "this sign-in has expired; begin again",
    ),
    "invalid_status": Code(
        400,
        "The sign-in is past the step that was asked for.",
        "The address was submitted after the link had been approved.",
        "Poll the code, or begin again with POST /v1/auth/device-code.",
        "this sign-in is approved already",
    ),
    "invalid_plan": Code(
        400,
        "There is no such plan to buy.",
        "A typo, or `free`, which is not bought.",
        "Send plan as pro or scale.",
        "plan must be one of pro, scale",
    ),
    "invalid_interval": Code(
        400,
        "There is no such billing interval.",
        "`yearly` or `month` in place of the names used here.",
        "Send interval as monthly or annual.",
        "interval must be one of monthly, annual",
    ),
    "no_stripe_customer": Code(
        400,
        "The account has never subscribed, so there is nothing to manage.",
        "The portal was asked for before any checkout.",
        "Subscribe first, with POST /v1/billing/checkout.",
        "this account has never subscribed",
    ),
    "invalid_echo_token": Code(
        400,
        "The echo's token has the wrong form.",
        "Fewer than 16 or more than 255 characters, or unprintable ones.",
        "Make a random token of 16 to 255 printable characters.",
        "token: use 16 to 255 printable characters",
        wire="invalid_token",
    ),
    "request_too_large": Code(
        413,
        "The request body is over 2 MiB (1 MiB for an echo).",
        "Files or documents inside the body.",
        "Keep large data elsewhere and send a link to it.",
        "the request body is larger than 2097152 bytes",
    ),
    "invalid_timezone": Code(
        422,
        "There is no such time zone.",
        "An offset or an abbreviation in place of a name of the IANA database.",
        "Use an IANA name such as America/New_York or UTC.",
        "'EST5' is not an IANA time zone",
    ),
    "validation_error": Code(
        422,
        "A field is missing, unknown, of the wrong type or out of bounds.",
        "`details` lists every fault at once: the place of the field, and what is wrong with it.",
        "Correct each field that details names.",
        "body.retry.max_attempts: must be at most 10",
    ),
    "no_fields": Code(
        422,
        "There is nothing to change.",
        "An empty body, or one in which every field is null.",
        "Send at least one field to change.",
        "there is nothing to change",
    ),
}

"""Calendar arithmetic: cron expressions, zones and the instants they mean. Pure.

Contract §5 in code. The scheduler fires by it; the API previews and explains by it. An instant is
an aware datetime in UTC everywhere.

    cron         a cron expression, parsed; or why it cannot be
    zones        a time zone by its name or alias
    occurrences  the instants at which a cron is due in a zone; the instant that a local time means
    dst          what a change of clocks did to an occurrence, or why there is none
    counting     how many occurrences lie in a range, without walking through them
    intervals    how near to each other they come
    words        the schedule in English
    due          what becomes of the slots that came due: run, caught up, skipped

Below these: `fields` and `days` (the parts of an expression), `bitset`, `wall` (local times and
changes of clocks), `stretches` (local days).
"""

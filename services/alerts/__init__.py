"""The alerts service: tells people what went wrong, once per episode.

Writes   `AlertRaised`, `AlertAcknowledged`, `NotificationSent`, `NotificationFailed`.
Decides  AcknowledgeAlert.
Reacts   to failed deliveries, missed executions, reported failures, failed verifications and
         deadlines that passed; to cues that are declared, changed or resumed, to watch them.
Wakes    `cue_watches.due_at` (windows that are missed) and `notifications.due_at`; looks now and
         then for workers that fell silent and months that are used up.
Talks to mail servers, users' webhooks.
"""

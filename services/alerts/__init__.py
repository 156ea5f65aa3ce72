"""The alerts service: tells people what went wrong, once per episode.

Writes   `AlertRaised`, `AlertAcknowledged`.
Decides  AcknowledgeAlert.
Reacts   to failed deliveries, reported failures, failed verifications and deadlines that passed.
"""

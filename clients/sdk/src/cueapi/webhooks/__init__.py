"""Receiving webhooks: verify, parse, do each execution once, answer with the outcome."""

from cueapi.webhooks.delivery import Delivery
from cueapi.webhooks.receiver import Answer, WebhookReceiver
from cueapi.webhooks.seen import RUNNING, MemoryStore, SeenStore
from cueapi.webhooks.verify import is_authentic, verify_webhook

__all__ = [
    "RUNNING",
    "Answer",
    "Delivery",
    "MemoryStore",
    "SeenStore",
    "WebhookReceiver",
    "is_authentic",
    "verify_webhook",
]

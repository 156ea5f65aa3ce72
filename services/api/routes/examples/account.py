"""Examples of what is sent and answered about the account, by the names of the models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.api.routes.examples.words import (
    ACCOUNT,
    API_KEY,
    EMAIL,
    KEY,
    PAGE,
    PAYLOAD,
    SECRET,
    SESSION,
)

_KEY = {
    "id": KEY,
    "prefix": "cue_sk_a3f9b",
    "label": "ci-server",
    "is_default": False,
    "status": "active",
    "created_by": "user",
    "created_at": "2026-03-19T05:45:22Z",
    "last_used_at": None,
    "revoked_at": None,
}
_ASKED = {
    "subject": "Cues run twice since this morning",
    "message": "Since this morning each of my cues has run twice, five seconds apart.",
    "severity": "high",
    "type": "bug",
}
_TICKET = {
    "ticket_id": 14,
    **_ASKED,
    "ticket_status": "open",
    "status": "open",
    "created_at": "2026-03-28T13:30:00Z",
    "updated_at": "2026-03-28T13:30:00Z",
}
_MONTH = {"start": "2026-03-01", "end": "2026-03-31"}
_CODE = "ABCD-EFGH"

ACCOUNTS: Mapping[str, Any] = {
    "RegisterBody": {"email": EMAIL},
    "RegisteredWire": {"api_key": API_KEY, "email": EMAIL},
    "MeWire": {
        "id": ACCOUNT,
        "email": EMAIL,
        "plan": "free",
        "active_cues": 3,
        "active_cue_limit": 10,
        "executions_this_month": 42,
        "monthly_execution_limit": 300,
        "rate_limit_per_minute": 60,
        "has_webhook_secret": True,
        "api_key_prefix": "cue_sk_a1b2c",
        "alert_webhook_url": None,
        "email_notifications": True,
        "created_at": "2026-03-01T08:00:00Z",
        "updated_at": "2026-03-01T08:00:00Z",
    },
    "ChangeMeBody": {
        "alert_webhook_url": "https://your-agent.com/alerts",
        "email_notifications": False,
    },
    "RegeneratedKeyWire": {"api_key": API_KEY, "previous_key_revoked": True},
    "ShownKeyWire": {"api_key": API_KEY, "key_prefix": "cue_sk_a1b2c"},
    "KeyListWire": {"keys": [_KEY]},
    "LabelBody": {"label": "ci-server"},
    "MintedKeyWire": {**_KEY, "api_key": API_KEY},
    "KeyWire": _KEY,
    "RevokedKeyWire": {"id": KEY, "revoked_at": "2026-04-18T05:45:22Z"},
    "WebhookSecretWire": {"webhook_secret": "whsec_" + SECRET},
    "RotateBody": {"overlap_hours": 24},
    "RotatedSecretWire": {
        "webhook_secret": "whsec_" + SECRET,
        "previous_secret_revoked": False,
        "previous_secret_expires_at": "2026-03-29T13:00:00Z",
    },
    "AlertSecretWire": {"alert_webhook_secret": SECRET},
    "RotatedAlertSecretWire": {"alert_webhook_secret": SECRET, "previous_secret_revoked": True},
    "SessionBody": {"token": "stk_5f0c1d2e3f4a5b6c"},
    "SessionWire": {
        "session_token": SESSION,
        "email": EMAIL,
        "expires_at": "2026-03-29T18:00:00Z",
    },
    "BeginBody": {"device_code": _CODE},
    "SubmitEmailBody": {"device_code": _CODE, "email": EMAIL},
    "PollBody": {"device_code": _CODE},
    "DeviceCodeWire": {
        "device_code": _CODE,
        "verification_url": f"https://api.cueapi.ai/auth/device?code={_CODE}",
        "expires_in": 900,
        "interval": 2,
    },
    "EmailSentWire": {"status": "email_sent"},
    "PolledWire": {
        "status": "approved",
        "email": EMAIL,
        "api_key": API_KEY,
        "session_token": "stk_5f0c1d2e3f4a5b6c",
    },
    "LinkBody": {"token": SECRET, "device_code": _CODE},
    "ExchangeBody": {"session_token": SESSION, "client_id": "my-editor", "label": "laptop"},
    "ExchangedWire": {
        "api_key": API_KEY,
        "user_id": ACCOUNT,
        "key_id": KEY,
        "expires_at": None,
    },
    "TicketBody": _ASKED,
    "ReceivedWire": {"status": "received", "ticket_id": 14, "ticket_status": "open"},
    "TicketWire": _TICKET,
    "TicketListWire": {"tickets": [_TICKET], **PAGE},
    "CheckoutBody": {"plan": "pro", "interval": "annual"},
    "CheckoutWire": {"checkout_url": "https://checkout.stripe.com/c/pay/cs_live_a1b2"},
    "PortalWire": {"portal_url": "https://billing.stripe.com/p/session/live_a1b2"},
    "NoticeBody": {"id": "evt_1", "type": "customer.subscription.updated", "data": {}},
    "NoticedWire": {"received": True},
    "UsageWire": {
        "plan": "free",
        "billing_period": {**_MONTH, "days_remaining": 3},
        "period": _MONTH,
        "cues": {
            "used": 3,
            "active": 3,
            "paused": 1,
            "limit": 10,
            "remaining": 7,
            "percent_used": 30,
        },
        "executions": {
            "used": 127,
            "limit": 300,
            "remaining": 173,
            "percent_used": 42,
            "percentage": 42.3,
            "projected_month_end": 141,
            "will_exceed_limit": False,
            "grace_ends_at": None,
        },
        "outcomes": {"reported": 38, "succeeded": 35, "failed": 3},
        "rate_limit": {"limit": 60, "requests_per_minute": 60, "current_usage": 3},
        "upgrade_url": "https://dashboard.cueapi.ai/billing",
    },
    "EchoBody": {"cue_id": "cue_x7k9m2p4q8w1", "payload": PAYLOAD},
    "StoredWire": {"stored": True},
    "EchoWire": {
        "status": "delivered",
        "payload": {"payload": PAYLOAD},
        "headers": {"Content-Type": "application/json", "X-CueAPI-Attempt": "1"},
        "received_at": "2026-03-28T13:00:01Z",
    },
    "HealthWire": {
        "status": "healthy",
        "version": "1.0.0",
        "timestamp": "2026-03-28T13:00:00Z",
        "services": {"postgres": "ok", "broker": "ok", "poller": "ok", "worker": "none"},
        "poller": {
            "last_run": "2026-03-28T12:59:58Z",
            "seconds_ago": 2,
            "cues_last_cycle": 0,
            "cycle_duration_ms": 4,
        },
        "workers": {"active_count": 0},
        "queue": {
            "pending_outbox": 0,
            "stale_executions": 0,
            "pending_retries": 0,
            "pending_worker_claims": 0,
        },
    },
    "StatusWire": {"status": "healthy"},
    "HistoryWire": {
        "status": "operational",
        "generated_at": "2026-03-28T13:00:05Z",
        "components": [
            {
                "name": "scheduling",
                "status": "operational",
                "uptime": 0.999984,
                "days": [{"date": "2026-03-28", "uptime": 0.998718, "minutes": 780}],
            }
        ],
        "incidents": [
            {
                "component": "scheduling",
                "began_at": "2026-03-28T04:11:00Z",
                "ended_at": "2026-03-28T04:13:00Z",
                "minutes": 2,
            }
        ],
    },
    "CanaryBody": {},
    "CanaryWire": {"success": True},
}

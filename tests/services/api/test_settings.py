from __future__ import annotations

import base64
from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import ValidationError

from libs.runtime.http.urls import InvalidURL, check_url
from services.api.app import rules_of
from services.api.settings import ApiSettings

SECRET = "s" * 32
KEY = base64.b64encode(b"k" * 32).decode()


def settings(**environment: str) -> ApiSettings:
    return ApiSettings.model_validate({"SESSION_SECRET": SECRET, **environment})


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"SESSION_SECRET": "short"}, "SESSION_SECRET"),
        ({"SESSION_SECRET": ""}, "CUEAPI_ENCRYPTION_KEY"),
        ({"ENV": "production"}, "CUEAPI_ENCRYPTION_KEY"),
        ({"ENV": "production", "SESSION_SECRET": "", "CUEAPI_ENCRYPTION_KEY": KEY}, "SESSION"),
        ({"DEFAULT_PLAN": "gold"}, "DEFAULT_PLAN"),
        ({"TRUSTED_PROXIES": "10.0.0.0/40"}, "10.0.0.0/40"),
        ({"PORT": "70000"}, "PORT"),
        ({"WEBHOOK_TIMEOUT_SECONDS": "0"}, "WEBHOOK_TIMEOUT_SECONDS"),
        ({"BASE_URL": "localhost:8000"}, "http"),
        ({"CUEAPI_SMTP_URL": "mail.example:25"}, "smtp://"),
    ],
)
def test_unsafe_settings_stop_the_start(environment: dict[str, str], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        settings(**environment)


def test_billing_needs_a_key() -> None:
    assert settings().billing() is None
    assert settings(STRIPE_SECRET_KEY="sk_test", STRIPE_PRICE_PRO_MONTHLY="price_1").billing()


def test_production_with_its_secrets_starts() -> None:
    made = settings(ENV="production", CUEAPI_ENCRYPTION_KEY=KEY)
    assert made.keyring() is not None


@pytest.mark.parametrize(
    ("name", "value", "rule", "meaning"),
    [
        ("ALLOW_REGISTER", "false", "allow_register", False),
        ("DEFAULT_PLAN", "pro", "default_plan", "pro"),
        ("DISABLE_QUOTA_ENFORCEMENT", "true", "enforce_quotas", False),
        ("WEBHOOK_TIMEOUT_SECONDS", "9", "delivery_timeout_seconds", 9),
        ("WORKER_HEARTBEAT_TIMEOUT_SECONDS", "7", "worker_stale_seconds", 7),
        ("DASHBOARD_URL", "https://d.example", "dashboard_url", "https://d.example"),
        (
            "TRUSTED_PROXIES",
            "10.0.0.0/8, ::1",
            "trusted_proxies",
            (ip_network("10.0.0.0/8"), ip_network("::1")),
        ),
    ],
)
def test_what_the_operator_chooses(name: str, value: str, rule: str, meaning: Any) -> None:
    assert getattr(rules_of(settings(**{name: value})), rule) == meaning


def test_origins() -> None:
    assert settings().origins() == ("*",)
    named = settings(CORS_ORIGINS="https://a.example, https://b.example/")
    assert named.origins() == ("https://a.example", "https://b.example")


def test_the_own_echo_is_always_an_acceptable_callback() -> None:
    egress = settings(
        BASE_URL="http://localhost:8000/", INTERNAL_BASE_URL="http://api:8000"
    ).egress()
    echo = check_url("http://localhost:8000/v1/echo/qs-0123456789abcdef", egress)
    assert (echo.host, echo.port, echo.trusted) == ("api", 8000, True)
    with pytest.raises(InvalidURL):
        check_url("http://localhost:8000/v1/cues", egress)

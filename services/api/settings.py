"""What the api reads from its environment (contract §13)."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Self

from pydantic import Field, model_validator

from libs.events.accounts import PLANS
from libs.runtime.http.settings import EgressSettings
from libs.runtime.mail.settings import MailSettings
from services.api.adapters.billing import StripeBilling
from services.api.rules.addresses import Network


class ApiSettings(MailSettings, EgressSettings):
    """Settings of the api."""

    host: str = Field(default="0.0.0.0", alias="HOST", description="address to listen on")  # noqa: S104 - contract §13
    port: int = Field(default=8000, alias="PORT", ge=0, le=65_535, description="port to listen on")
    dashboard_url: str = Field(
        default="", alias="DASHBOARD_URL", description="where upgrade and sign-in links lead"
    )
    allow_register: bool = Field(
        default=True, alias="ALLOW_REGISTER", description="false closes registration"
    )
    default_plan: str = Field(
        default="free", alias="DEFAULT_PLAN", description="plan of new accounts"
    )
    disable_quota_enforcement: bool = Field(
        default=False,
        alias="DISABLE_QUOTA_ENFORCEMENT",
        description="true lifts plan limits and rate limits, for self-hosting and benchmarks",
    )
    webhook_timeout_seconds: int = Field(
        default=30,
        alias="WEBHOOK_TIMEOUT_SECONDS",
        ge=1,
        le=3_600,
        description="default of delivery.timeout_seconds",
    )
    worker_heartbeat_timeout_seconds: int = Field(
        default=180,
        alias="WORKER_HEARTBEAT_TIMEOUT_SECONDS",
        gt=0,
        description="a worker silent for this long is not active",
    )
    cors_origins: str = Field(
        default="*", alias="CORS_ORIGINS", description="origins of browsers, by comma; * is any"
    )
    device_codes_per_ip_hour: int = Field(
        default=5,
        alias="DEVICE_CODES_PER_IP_HOUR",
        ge=1,
        description="sign-ins that one address may begin in an hour",
    )
    allowed_mcp_client_ids: str = Field(
        default="",
        alias="ALLOWED_MCP_CLIENT_IDS",
        description="MCP clients that may exchange a sign-in for a key, by comma; none if empty",
    )
    mcp_return_hosts: str = Field(
        default="",
        alias="CUEAPI_MCP_RETURN_HOSTS",
        description="hosts to which a sign-in of an MCP client may return, by comma",
    )
    stripe_secret_key: str = Field(
        default="", alias="STRIPE_SECRET_KEY", description="Stripe's key; no billing if empty"
    )
    stripe_webhook_secret: str = Field(
        default="", alias="STRIPE_WEBHOOK_SECRET", description="signs Stripe's events"
    )
    stripe_price_pro_monthly: str = Field(
        default="", alias="STRIPE_PRICE_PRO_MONTHLY", description="id of the price"
    )
    stripe_price_pro_annual: str = Field(
        default="", alias="STRIPE_PRICE_PRO_ANNUAL", description="id of the price"
    )
    stripe_price_scale_monthly: str = Field(
        default="", alias="STRIPE_PRICE_SCALE_MONTHLY", description="id of the price"
    )
    stripe_price_scale_annual: str = Field(
        default="", alias="STRIPE_PRICE_SCALE_ANNUAL", description="id of the price"
    )
    reveal_keys: bool = Field(
        default=True,
        alias="CUEAPI_REVEAL_KEYS",
        description="false: the default key is never shown again after it was made",
    )
    canary: bool = Field(
        default=False,
        alias="CUEAPI_CANARY",
        description="true fires a cue of the service's own each minute, to see that all works",
    )
    trusted_proxies: str = Field(
        default="",
        alias="TRUSTED_PROXIES",
        description="networks whose X-Forwarded-For counts, by comma",
    )

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.default_plan not in PLANS:
            msg = f"DEFAULT_PLAN must be one of {', '.join(PLANS)}"
            raise ValueError(msg)
        if self.env == "production" and not (self.session_secret and self.encryption_key):
            msg = (
                "in production SESSION_SECRET and CUEAPI_ENCRYPTION_KEY must both be set;"
                " make them: openssl rand -hex 32, openssl rand -base64 32"
            )
            raise ValueError(msg)
        # What cannot be read is told now, not at the first request.
        self.proxies()
        return self

    def proxies(self) -> tuple[Network, ...]:
        """The networks of trusted proxies. Raises ValueError."""
        named = (part.strip() for part in self.trusted_proxies.split(","))
        return tuple(ip_network(part, strict=False) for part in named if part)

    def origins(self) -> tuple[str, ...]:
        """The origins that browsers may call from; `*` is any."""
        named = (part.strip().rstrip("/") for part in self.cors_origins.split(","))
        return tuple(part for part in named if part)

    def mcp_clients(self) -> frozenset[str]:
        """The MCP clients that may exchange a sign-in for a key."""
        return _words(self.allowed_mcp_client_ids)

    def return_hosts(self) -> frozenset[str]:
        """The hosts to which a sign-in may return."""
        return _words(self.mcp_return_hosts)

    def billing(self) -> StripeBilling | None:
        """Stripe; None when it is not configured."""
        if not self.stripe_secret_key:
            return None
        prices = {
            ("pro", "monthly"): self.stripe_price_pro_monthly,
            ("pro", "annual"): self.stripe_price_pro_annual,
            ("scale", "monthly"): self.stripe_price_scale_monthly,
            ("scale", "annual"): self.stripe_price_scale_annual,
        }
        given = {price: price_id for price, price_id in prices.items() if price_id}
        return StripeBilling(self.stripe_secret_key, self.stripe_webhook_secret, given)


def _words(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())

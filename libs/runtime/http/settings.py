"""Where requests to URLs that users give may go: one set of settings for all who send or judge."""

from __future__ import annotations

from typing import Self

import structlog
from pydantic import Field, model_validator

from libs.runtime.http.addresses import EgressPolicy, TrustedOrigin
from libs.runtime.settings import SecretSettings

log = structlog.get_logger()


class EgressSettings(SecretSettings):
    """Settings of the services that send to users' URLs, or say which may be stored."""

    allow_insecure_callbacks: bool = Field(
        default=False,
        alias="ALLOW_INSECURE_CALLBACKS",
        description="true permits callbacks to http, localhost and private addresses",
    )
    base_url: str = Field(
        default="http://localhost:8000", alias="BASE_URL", description="where users reach the API"
    )
    internal_base_url: str = Field(
        default="",
        alias="INTERNAL_BASE_URL",
        description="this API from inside; BASE_URL if empty",
    )

    @model_validator(mode="after")
    def _origins_can_be_read(self) -> Self:
        # What cannot be read is told now, not at the first request.
        self.egress()
        return self

    def egress(self) -> EgressPolicy:
        """What outgoing URLs may be; the server's own echo is always among them (contract §3)."""
        inside = self.internal_base_url or self.base_url
        echo = TrustedOrigin(
            f"{self.base_url.rstrip('/')}/v1/echo/", f"{inside.rstrip('/')}/v1/echo/"
        )
        return EgressPolicy(allow_insecure=self.allow_insecure_callbacks, trusted_origins=(echo,))

    def announced_egress(self) -> EgressPolicy:
        """As `egress`; what is looser than the default is logged."""
        if self.allow_insecure_callbacks:
            log.warning("requests to http, localhost and private addresses are allowed")
        return self.egress()

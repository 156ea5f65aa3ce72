"""What the alerts service reads from its environment."""

from __future__ import annotations

from pydantic import Field

from libs.runtime.mail.settings import MailSettings


class AlertsSettings(MailSettings):
    """Settings of the alerts service."""

    base_url: str = Field(
        default="http://localhost:8000", alias="BASE_URL", description="where users reach the API"
    )
    internal_base_url: str = Field(
        default="", alias="INTERNAL_BASE_URL", description="where services reach it, if elsewhere"
    )
    dashboard_url: str = Field(
        default="", alias="DASHBOARD_URL", description="where links in mails lead, if there is one"
    )
    allow_insecure_callbacks: bool = Field(
        default=False,
        alias="ALLOW_INSECURE_CALLBACKS",
        description="true permits http, localhost and private addresses as webhooks",
    )

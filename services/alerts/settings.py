"""What the alerts service reads from its environment."""

from __future__ import annotations

from typing import Self
from urllib.parse import quote

from pydantic import Field, model_validator

from libs.runtime.settings import SecretSettings
from services.alerts.adapters.mail import smtp_server


class AlertsSettings(SecretSettings):
    """Settings of the alerts service."""

    smtp_url: str = Field(
        default="",
        alias="CUEAPI_SMTP_URL",
        description="mail server: smtp://user:password@host:port, or smtps://; none: to the log",
    )
    resend_api_key: str = Field(
        default="", alias="RESEND_API_KEY", description="mail through Resend, without an SMTP URL"
    )
    mail_from: str = Field(
        default="CueAPI <alerts@localhost>",
        alias="RESEND_FROM_EMAIL",
        description="whom mails are from",
    )
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

    @model_validator(mode="after")
    def _mail_server_is_named_rightly(self) -> Self:
        if self.smtp_url:
            smtp_server(self.smtp_url)
        return self

    @property
    def mail_url(self) -> str:
        """The mail server's URL; empty without one."""
        if self.smtp_url or not self.resend_api_key:
            return self.smtp_url
        return f"smtps://resend:{quote(self.resend_api_key, safe='')}@smtp.resend.com:465"

"""What the alerts service reads from its environment."""

from __future__ import annotations

from pydantic import Field

from libs.runtime.http.settings import EgressSettings
from libs.runtime.mail.settings import MailSettings


class AlertsSettings(MailSettings, EgressSettings):
    """Settings of the alerts service."""

    dashboard_url: str = Field(
        default="", alias="DASHBOARD_URL", description="where links in mails lead, if there is one"
    )

"""What the operators' command line reads from its environment: the same as the services."""

from __future__ import annotations

from libs.runtime.mail.settings import MailSettings


class AdminSettings(MailSettings):
    """Settings of the command line."""

"""What who sends mail reads from its environment."""

from __future__ import annotations

from typing import Self

import structlog
from pydantic import Field, model_validator

from libs.runtime.http.names import NameLookup
from libs.runtime.mail.resend import ResendMailer
from libs.runtime.mail.sending import LogMailer, Mailer
from libs.runtime.mail.smtp import SmtpMailer, smtp_server
from libs.runtime.settings import SecretSettings

log = structlog.get_logger()


class MailSettings(SecretSettings):
    """Settings of the services that send mail, all of which open secrets too."""

    smtp_url: str = Field(
        default="",
        alias="CUEAPI_SMTP_URL",
        description="mail server: smtp://user:password@host:587, or smtps://; none: to the log",
    )
    resend_api_key: str = Field(
        default="", alias="RESEND_API_KEY", description="mail through Resend, without an SMTP URL"
    )
    mail_from: str = Field(
        default="CueAPI <noreply@localhost>",
        alias="RESEND_FROM_EMAIL",
        description="sender of mail, with or without a name before it",
    )

    @model_validator(mode="after")
    def _mail_server_is_named_rightly(self) -> Self:
        if self.smtp_url:
            smtp_server(self.smtp_url)
        return self

    def mailer(self, names: NameLookup) -> Mailer:
        """Build the way out: SMTP if it is configured, else Resend, else the log."""
        if self.smtp_url:
            return SmtpMailer(smtp_server(self.smtp_url), self.mail_from)
        if self.resend_api_key:
            return ResendMailer(self.resend_api_key, self.mail_from, names)
        log.info("no mail server is configured; mails are written to the log")
        return LogMailer()

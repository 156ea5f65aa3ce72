"""Letters through Resend's HTTP API (https://resend.com/docs/api-reference/emails/send-email)."""

from __future__ import annotations

import msgspec

from libs.runtime.http.addresses import EgressPolicy
from libs.runtime.http.client import OutboundClient
from libs.runtime.http.failures import OutboundError
from libs.runtime.http.names import NameLookup
from libs.runtime.http.urls import check_url
from libs.runtime.mail.letters import Letter
from libs.runtime.mail.sending import SEND_SECONDS, NotSent, refused

RESEND_URL = "https://api.resend.com/emails"


class ResendMailer:
    """Sends each letter in a connection of its own. `names` stays the caller's.

    A letter with a `message_id` is sent once by Resend, however often it is tried within a day.
    """

    def __init__(
        self,
        api_key: str,
        sender: str,
        names: NameLookup,
        *,
        url: str = RESEND_URL,
        policy: EgressPolicy | None = None,
        timeout: float = SEND_SECONDS,
    ) -> None:
        policy = policy or EgressPolicy()
        self._api_key = api_key
        self._sender = sender
        self._names = names
        self._url = check_url(url, policy)
        self._policy = policy
        self._timeout = timeout

    async def send(self, letter: Letter) -> None:
        """Send it. Raises NotSent."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._api_key}"}
        if letter.message_id:
            headers["Idempotency-Key"] = letter.message_id.strip("<>")
        client = OutboundClient(
            self._policy, self._names, user_agent="CueAPI/1.0", max_connections=1
        )
        try:
            async with client:
                answer = await client.send(
                    "POST", self._url, headers, self._body(letter), self._timeout
                )
        except OutboundError as error:
            raise NotSent(f"the mail server did not take it: {error.message}") from error
        if not 200 <= answer.status < 300:
            said = f"{answer.status} {answer.body.decode(errors='replace')}"
            raise refused(said, letter, self._api_key)

    def _body(self, letter: Letter) -> bytes:
        headers = {"Auto-Submitted": "auto-generated"}
        if letter.message_id:
            headers["Message-ID"] = letter.message_id
        return msgspec.json.encode(
            {
                "from": self._sender,
                "to": [letter.to],
                "subject": letter.subject,
                "text": letter.text,
                "html": letter.html,
                "headers": headers,
            }
        )

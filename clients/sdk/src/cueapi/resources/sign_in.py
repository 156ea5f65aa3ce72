"""Sessions, and signing in by mail (contract §2 nr 28-32, §3)."""

from __future__ import annotations

from cueapi.calls import Call
from cueapi.models.account import DeviceCode, DeviceCodePoll, EmailSent, ExchangedKey, Session
from cueapi.resource import AsyncResource, Resource, operation
from cueapi.values import present


class SessionCalls:
    """The calls about sessions, which are used like keys and last a day."""

    @operation
    def create(self, token: str | None = None) -> Call[Session]:
        """Make a session of a one-time token, or without one of the key."""
        return Call("POST", "/v1/auth/session", Session.from_dict, json=present(token=token))

    @operation
    def refresh(self) -> Call[Session]:
        """Make a new session of the present one."""
        return Call("POST", "/v1/auth/session/refresh", Session.from_dict, json={})

    @operation
    def exchange(
        self, session_token: str, client_id: str, *, label: str | None = None
    ) -> Call[ExchangedKey]:
        """Make a key for an MCP client of a one-time token."""
        body = present(session_token=session_token, client_id=client_id, label=label)
        return Call("POST", "/v1/auth/mcp-exchange", ExchangedKey.from_dict, json=body)


class SessionsResource(SessionCalls, Resource):
    """`client.sessions`."""


class AsyncSessionsResource(SessionCalls, AsyncResource):
    """`client.sessions` of an async client."""


class DeviceCodeCalls:
    """The calls that sign in by mail: create, submit_email, poll until approved. No key needed."""

    @operation
    def create(self, device_code: str | None = None) -> Call[DeviceCode]:
        """Begin to sign in, with a code of one's own or of the server's."""
        body = present(device_code=device_code)
        return Call("POST", "/v1/auth/device-code", DeviceCode.from_dict, json=body)

    @operation
    def submit_email(self, device_code: str, email: str) -> Call[EmailSent]:
        """Have the sign-in link mailed."""
        body = {"device_code": device_code, "email": email}
        return Call("POST", "/v1/auth/device-code/submit-email", EmailSent.from_dict, json=body)

    @operation
    def poll(self, device_code: str) -> Call[DeviceCodePoll]:
        """Ask how far it is; the answer that says approved holds the key."""
        body = {"device_code": device_code}
        return Call("POST", "/v1/auth/device-code/poll", DeviceCodePoll.from_dict, json=body)


class DeviceCodesResource(DeviceCodeCalls, Resource):
    """`client.device_codes`."""


class AsyncDeviceCodesResource(DeviceCodeCalls, AsyncResource):
    """`client.device_codes` of an async client."""

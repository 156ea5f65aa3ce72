"""Why a request got no answer: one class for each stage that it can fail at.

    OutboundError
    ├── Blocked         the address must not be dialed
    ├── ConnectFailed   no address, or nobody there
    ├── TLSFailed       no trust
    ├── TimedOut        no complete headers before the deadline
    └── ProtocolError   the connection broke, or what came is not HTTP

The messages are for the URL's author. They never name a resolved address: a URL must not become a
way to map a network.
"""

import os
from typing import ClassVar, Literal

import aiohttp
from aiohttp.http import HttpProcessingError

from libs.runtime.http.connector import BlockedAddress
from libs.runtime.http.names import LookupTimedOut

Stage = Literal["blocked", "connect", "tls", "timeout", "protocol"]


class OutboundError(Exception):
    """The request got no answer; `message` has at most 500 characters."""

    stage: ClassVar[Stage]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message[:500]


class Blocked(OutboundError):
    """The host has an address that must not be dialed; nothing was sent."""

    stage = "blocked"


class ConnectFailed(OutboundError):
    """No connection was made; nothing was sent."""

    stage = "connect"


class TLSFailed(OutboundError):
    """The server could not prove who it is; nothing was sent."""

    stage = "tls"


class TimedOut(OutboundError):
    """The deadline passed before complete headers came; the server may have acted."""

    stage = "timeout"


class ProtocolError(OutboundError):
    """The connection broke or the answer is no HTTP; the server may have acted."""

    stage = "protocol"


def failure_from(
    error: TimeoutError | aiohttp.ClientError | HttpProcessingError, timeout: float
) -> OutboundError:
    """Give the failure that an error of a request with `timeout` seconds stands for."""
    match error:
        case TimeoutError():
            return TimedOut(f"The request timed out after {timeout:g} s")
        case aiohttp.ClientConnectorCertificateError(certificate_error=reason):
            return TLSFailed(f"Could not connect: {getattr(reason, 'verify_message', reason)}")
        case aiohttp.ClientConnectorSSLError():
            return TLSFailed("Could not connect: the TLS handshake failed")
        case aiohttp.ClientConnectorError(os_error=BlockedAddress()):
            return Blocked("The host is blocked: all its addresses must be public")
        case aiohttp.ClientConnectorError(os_error=LookupTimedOut()):
            return ConnectFailed("Could not connect: the host's name servers do not answer")
        case aiohttp.ClientConnectorDNSError():
            return ConnectFailed("Could not connect: the host name was not found")
        case aiohttp.ClientConnectorError(os_error=OSError(errno=int(number))):
            return ConnectFailed(f"Could not connect: {os.strerror(number)}")
        case aiohttp.ClientConnectorError():
            return ConnectFailed("Could not connect")
        case HttpProcessingError():
            return ProtocolError("Could not connect: the answer is not valid HTTP")
        case _:
            return ProtocolError("Could not connect: the connection closed without an answer")

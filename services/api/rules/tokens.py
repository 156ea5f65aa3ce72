"""What a Bearer token is: an API key, a session, or neither (contract §1 "Auth", §2 nr 28)."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import NamedTuple

import jwt

from services.api.rules.ids import is_uuid

_API_KEY = re.compile(r"cue_sk_[0-9a-f]{32}", re.ASCII)
_PREFIX_LENGTH = 12
_ALGORITHM = "HS256"
SESSION_LENGTH = timedelta(hours=24)


class KeyToken(NamedTuple):
    """An API key, by the SHA-256 under which it rests."""

    sha256: bytes


class SessionToken(NamedTuple):
    """A session whose signature and end are good."""

    account_id: str


class UnknownToken(ValueError):
    """The token is neither an API key nor a session, or there is none."""


class InvalidSession(ValueError):
    """The token looks like a session, but was not issued here."""


class SessionExpired(ValueError):
    """The session's 24 hours are over."""


def bearer(authorization: str) -> str:
    """Take the token out of an `Authorization` header; the scheme's case does not matter.

    Raises UnknownToken.
    """
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnknownToken("send the API key as: Authorization: Bearer cue_sk_...")
    return token.strip()


def read_token(token: str, session_secret: str, now: datetime) -> KeyToken | SessionToken:
    """Tell what a token is. Without a `session_secret` no session is valid.

    Raises UnknownToken, InvalidSession, SessionExpired.
    """
    if _API_KEY.fullmatch(token):
        return KeyToken(key_hash(token))
    if token.count(".") != 2:
        raise UnknownToken("this is not an API key")
    return SessionToken(_session_account(token, session_secret, now))


class Session(NamedTuple):
    """A new session token, and when it ends."""

    token: str
    expires_at: datetime


def new_session(account_id: str, email: str, session_secret: str, now: datetime) -> Session:
    """Sign a session of 24 hours (contract nr 28)."""
    begins = now.replace(microsecond=0)
    ends = begins + SESSION_LENGTH
    claims = {"sub": account_id, "email": email, "type": "session", "iat": begins, "exp": ends}
    return Session(jwt.encode(claims, session_secret, _ALGORITHM), ends)


def key_hash(api_key: str) -> bytes:
    """The SHA-256 under which a key rests; 128 random bits need no salt."""
    return hashlib.sha256(api_key.encode()).digest()


def token_hash(token: str) -> bytes:
    """The SHA-256 under which links and one-time tokens rest."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def key_prefix(api_key: str) -> str:
    """The part of a key that may be shown: its first 12 characters."""
    return api_key[:_PREFIX_LENGTH]


def _session_account(token: str, secret: str, now: datetime) -> str:
    if not secret:
        raise InvalidSession("sessions are not configured on this server")
    # The end is judged here and not by the library, which would read a clock of its own.
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            options={"verify_exp": False, "verify_iat": False, "require": ["sub", "exp"]},
        )
    except jwt.InvalidTokenError as error:
        raise InvalidSession("this session was not issued by this server") from error
    subject, ends = claims["sub"], claims["exp"]
    if claims.get("type") != "session" or not is_uuid(subject) or not isinstance(ends, int):
        raise InvalidSession("this token is not a session")
    if ends <= now.timestamp():
        raise SessionExpired("this session has expired; sign in again")
    return str(subject)

"""Whose request it is, when proxies stand in between; and what an e-mail address is."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from email_validator import EmailNotValidError, validate_email

MAX_EMAIL_LENGTH = 255

Network = IPv4Network | IPv6Network


class InvalidEmail(ValueError):
    """The text is not an e-mail address."""


def client_address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The address that counts: the last one in `X-Forwarded-For` that no trusted proxy has.

    Only trusted proxies (`TRUSTED_PROXIES`) are believed; what stands before them is hearsay.
    """
    address = peer
    hops = [hop.strip() for hop in forwarded_for.split(",")] if forwarded_for else []
    while hops and _is_trusted(address, trusted):
        hop = hops.pop()
        if not _is_address(hop):
            return address
        address = hop
    return address


def normalised_email(text: str) -> str:
    """Give an address in the form in which it is stored and compared: lower case.

    Reserved domains such as `.local` are accepted, as self-hosters use them. Raises InvalidEmail.
    """
    if len(text) > MAX_EMAIL_LENGTH:
        raise InvalidEmail(f"at most {MAX_EMAIL_LENGTH} characters are allowed")
    local, _, domain = text.strip().rpartition("@")
    if "." not in domain:
        raise InvalidEmail("this is not an e-mail address")
    # The library knows no switch for its list of reserved names; the label in front of the last
    # one is checked alike, so a neutral last label stands in for a reserved one.
    host, _, last = domain.rpartition(".")
    checked = f"{local}@{host}.{'com' if last.lower() in _RESERVED else last}"
    try:
        validate_email(checked, check_deliverability=False)
    except EmailNotValidError as error:
        raise InvalidEmail(str(error)) from error
    return f"{local}@{domain}".lower()


_RESERVED = frozenset({"local", "localhost", "test", "invalid", "internal", "example"})


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    if not trusted or not _is_address(address):
        return False
    parsed = ip_address(address)
    return any(parsed in network for network in trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

"""The host of a URL: a DNS name, or an address in its usual spelling."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import idna

from libs.runtime.http.addresses import IPAddress

_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_MAX_NAME = 253


class InvalidHost(ValueError):
    """The host is neither a DNS name nor an address in its usual spelling."""


def parse_host(text: str) -> str | IPAddress:
    """Give the address that `text` spells, else its name: A-labels, lower case, no last dot.

    What a resolver would read as an address in another spelling (`127.1`, `0x7f000001`,
    `2130706433`, circled digits) is refused whatever it means, so that no two readers of a URL
    can differ about it. The rule for telling it apart is the WHATWG one: a host whose last label
    is a number is an IPv4 address.

    Raises:
        InvalidHost: the text is neither.
    """
    if text.startswith("["):
        return _parse_v6(text)
    name = _to_ascii(text).lower().removesuffix(".")
    if _NUMERIC_LABEL.fullmatch(name.rpartition(".")[2]):
        return _parse_v4(text)
    if len(name) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise InvalidHost("the host must be a DNS name or an IP address")
    return name


def _to_ascii(text: str) -> str:
    if text.isascii():
        return text
    try:
        return idna.encode(text, uts46=True, std3_rules=True).decode("ascii")
    except idna.IDNAError as error:
        raise InvalidHost("the host is not a valid internationalized domain name") from error


def _parse_v4(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError as error:
        raise InvalidHost(
            "the host must be a DNS name, or an address written as four decimal numbers"
        ) from error


def _parse_v6(text: str) -> IPv6Address:
    try:
        address = IPv6Address(text.removeprefix("[").removesuffix("]"))
    except AddressValueError as error:
        raise InvalidHost("the host is not a valid IPv6 address") from error
    if address.scope_id is not None:
        raise InvalidHost("the host must be an IPv6 address without a zone")
    return address

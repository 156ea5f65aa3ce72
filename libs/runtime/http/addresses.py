"""Which addresses may be dialed for a URL that a user gave.

The lists follow the IANA special-purpose registries. `ipaddress.is_global` is not the rule: it
calls multicast, NAT64 and 6to4 forms of loopback, and the Azure metadata address global.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

IPAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class TrustedOrigin:
    """URLs that the operator, not a user, vouches for: they pass every rule and every address.

    `prefix` is a whole `http(s)://host/path/` with its last slash; `send_to` is the prefix that
    is dialed instead (empty: the same), for a server that has another name from inside.

    Raises:
        ValueError: either prefix lacks a path that ends in a slash.
    """

    prefix: str
    send_to: str = ""

    def __post_init__(self) -> None:
        """Refuse a prefix that vouches for more than it seems to."""
        for text in (self.prefix, self.send_to or self.prefix):
            # Without the slash, "http://api" would vouch for "http://api@elsewhere/".
            if not text.startswith(("http://", "https://")) or not text.endswith("/"):
                raise ValueError(f"a trusted origin is http(s)://host/path/, not {text!r}")


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What the operator permits.

    `allow_insecure` permits http, localhost and private ranges; link-local and metadata addresses
    stay blocked.
    """

    allow_insecure: bool = False
    trusted_origins: tuple[TrustedOrigin, ...] = ()


_PRIVATE_V4 = tuple(
    IPv4Network(text)
    for text in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
_NEVER_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "100.100.100.200/32",  # Alibaba metadata, inside a private range
        "168.63.129.16/32",  # Azure metadata, inside a public range
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)

_GLOBAL_V6 = IPv6Network("2000::/3")
_PRIVATE_V6 = (IPv6Network("::1/128"), IPv6Network("fc00::/7"))
_NEVER_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4: carries any IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",
        "fd00:ec2::/32",  # AWS metadata, inside a private range
        "fd00:c1::a9fe:a9fe/128",  # Oracle metadata, likewise
        "fd20:ce::254/128",  # Google metadata, likewise
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


def is_blocked(address: str | IPAddress, policy: EgressPolicy) -> bool:
    """Say whether `address` must not be dialed; text that is no address is blocked.

    IPv6 is dialed only inside 2000::/3 without its special blocks; an IPv4 address inside an
    IPv4-mapped or NAT64 one is judged as itself.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return True
    if isinstance(parsed, IPv4Address):
        return _is_blocked_v4(parsed, policy)
    if parsed.scope_id is not None:
        return True
    if parsed.ipv4_mapped is not None:
        return _is_blocked_v4(parsed.ipv4_mapped, policy)
    if parsed in _NAT64:
        return _is_blocked_v4(IPv4Address(int(parsed) & 0xFFFFFFFF), policy)
    return _is_blocked_v6(parsed, policy)


def _is_blocked_v4(address: IPv4Address, policy: EgressPolicy) -> bool:
    if any(address in network for network in _NEVER_V4):
        return True
    return not policy.allow_insecure and any(address in network for network in _PRIVATE_V4)


def _is_blocked_v6(address: IPv6Address, policy: EgressPolicy) -> bool:
    if any(address in network for network in _NEVER_V6):
        return True
    if any(address in network for network in _PRIVATE_V6):
        return not policy.allow_insecure
    return address not in _GLOBAL_V6

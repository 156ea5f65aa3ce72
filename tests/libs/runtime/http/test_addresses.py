from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.runtime.http.addresses import EgressPolicy, TrustedOrigin, is_blocked

STRICT = EgressPolicy()
INSECURE = EgressPolicy(allow_insecure=True)

PRIVATE = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
]
NEVER = [
    "0.0.0.0/8",
    "100.100.100.200/32",
    "168.63.129.16/32",
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
    "255.255.255.255/32",
    "::/128",
    "::7f00:1/128",
    "::ffff:0:7f00:1/128",
    "64:ff9b:1::/48",
    "100::/64",
    "4000::/3",
    "5f00::/16",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "fd00:ec2::254/128",
    "fd20:ce::254/128",
    "fd00:c1::a9fe:a9fe/128",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2000::",
    "2606:4700:4700::1111",
    "2a00:1450::1",
    "2001:200::",
    "2003::",
    "3ffe::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("network", PRIVATE)
def test_private_ranges_are_blocked_unless_permitted(network: str) -> None:
    for address in (ip_network(network)[0], ip_network(network)[-1]):
        assert is_blocked(address, STRICT)
        assert not is_blocked(address, INSECURE)


@pytest.mark.parametrize("policy", [STRICT, INSECURE], ids=["strict", "insecure"])
@pytest.mark.parametrize("network", NEVER)
def test_special_ranges_are_always_blocked(network: str, policy: EgressPolicy) -> None:
    for address in (ip_network(network)[0], ip_network(network)[-1]):
        assert is_blocked(address, policy)
        assert is_blocked(str(address), policy)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert not is_blocked(address, STRICT)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "1.2.3.4 ", "2a00::1%eth0", "[::1]"])
def test_what_is_no_plain_address_is_blocked(text: str) -> None:
    assert is_blocked(text, INSECURE)


@given(st.ip_addresses(v=4), st.booleans())
def test_an_embedded_address_is_judged_as_itself(inner: IPv4Address, insecure: bool) -> None:
    policy = EgressPolicy(allow_insecure=insecure)
    verdict = is_blocked(inner, policy)
    for network in ("::ffff:0:0/96", "64:ff9b::/96"):
        assert is_blocked(ip_network(network)[int(inner)], policy) == verdict
    assert is_blocked(IPv6Address(0x2002 << 112 | int(inner) << 80), policy)


@given(st.ip_addresses(v=6))
def test_only_global_unicast_v6_is_dialed(address: IPv6Address) -> None:
    embeds = address.ipv4_mapped is not None or address in IPv6Network("64:ff9b::/96")
    if address not in IPv6Network("2000::/3") and not embeds:
        assert is_blocked(address, STRICT)


@given(st.ip_addresses())
def test_the_permission_only_opens_private_ranges(address: IPv4Address | IPv6Address) -> None:
    if is_blocked(address, INSECURE):
        assert is_blocked(address, STRICT)
    if address.is_link_local or address.is_multicast:
        assert is_blocked(address, INSECURE)


@pytest.mark.parametrize("prefix", ["http://api", "http://api:8000", "api/v1/", "ftp://api/", ""])
def test_a_trusted_origin_ends_in_a_slash(prefix: str) -> None:
    with pytest.raises(ValueError, match="trusted origin"):
        TrustedOrigin(prefix)
    with pytest.raises(ValueError, match="trusted origin"):
        TrustedOrigin("http://localhost:8000/v1/echo/", prefix or "x")


def test_the_verdict_on_text_and_on_the_object_is_one() -> None:
    for text in PUBLIC:
        assert is_blocked(text, STRICT) == is_blocked(ip_address(text), STRICT)

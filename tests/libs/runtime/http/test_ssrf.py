"""No URL, spelling, name or redirect makes the client knock at a blocked address.

Every case is judged at the socket: the dialer tells which addresses sockets were opened for, and a
canary listens on loopback at the port that the URLs name.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address, ip_address

import pytest
from typing_extensions import override

from libs.runtime.http.addresses import EgressPolicy, is_blocked
from libs.runtime.http.client import OutboundClient
from libs.runtime.http.failures import Blocked, ConnectFailed, OutboundError
from libs.runtime.http.names import NameLookup, resolve_check
from libs.runtime.http.urls import CheckedURL, InvalidURL, check_url
from tests.libs.runtime.http.conftest import INSECURE
from tests.libs.runtime.http.receivers import OK, Receiver, answering, receiving
from tests.libs.runtime.http.servers import Dialer, NameServer

STRICT = EgressPolicy()
TIMEOUT = 2.0

PRIVATE_V4 = ["10.0.0.1", "100.64.0.1", "127.0.0.1", "127.8.9.10", "172.16.0.1", "192.168.0.1"]
NEVER_V4 = [
    *("0.0.0.0", "100.100.100.200", "168.63.129.16", "169.254.169.254", "192.0.0.192"),
    *("192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1"),
    *("239.255.255.250", "240.0.0.1", "255.255.255.255"),
]
PRIVATE_V6 = ["::1", "fc00::1", "fd12:3456::1"]
NEVER_V6 = [
    *("::", "::127.0.0.1", "::ffff:0:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"),
    *("64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::"),
    *("2620:4f:8000::1", "3fff::1", "4000::1", "5f00::1", "fd00:ec2::254", "fd20:ce::254"),
    *("fe80::1", "fec0::1", "ff02::1"),
]


def _digits(zero: int, one: int) -> dict[int, int]:
    return {ord("0"): zero} | {ord("1") + n: one + n for n in range(9)}


def _each(form: str, dot: str = ".") -> Callable[[IPv4Address], str]:
    return lambda address: dot.join(format(octet, form) for octet in address.packed)


def _octal(address: IPv4Address) -> str:
    return ".".join(f"0{octet:o}" for octet in address.packed)


def _in_v6(prefix: str) -> Callable[[IPv4Address], str]:
    return lambda address: f"[{prefix}{address}]"


SPELLINGS: dict[str, Callable[[IPv4Address], str]] = {
    "dotted": str,
    "last dot": lambda address: f"{address}.",
    "decimal": lambda address: str(int(address)),
    "decimal, last dot": lambda address: f"{int(address)}.",
    "hex": lambda address: f"0x{int(address):x}",
    "HEX": lambda address: f"0X{int(address):X}",
    "long hex": lambda address: f"0x0000000000{int(address):08x}",
    "octal": lambda address: f"0{int(address):o}",
    "dotted hex": _each("#x"),
    "dotted octal": _octal,
    "leading zeros": _each("03d"),
    "two parts": lambda address: f"{address.packed[0]}.{int(address) & 0xFFFFFF}",
    "three parts": lambda address: ".".join(map(str, [*address.packed[:2], int(address) & 0xFFFF])),
    "mixed": lambda address: f"0x{address.packed[0]:x}.{int(address) & 0xFFFFFF}",
    "overflowing": lambda address: f"{address.packed[0] + 256}.{str(address).partition('.')[2]}",
    "ideographic stops": lambda address: str(address).replace(".", "\u3002"),
    "halfwidth stops": lambda address: str(address).replace(".", "\uff61"),
    "fullwidth digits": lambda address: str(address).translate(_digits(0xFF10, 0xFF11)),
    "circled digits": lambda address: str(address).translate(_digits(0x24EA, 0x2460)),
    "superscript one": lambda address: str(address).replace("1", "\u00b9"),
    "percent": lambda address: "".join(f"%{ord(character):02x}" for character in str(address)),
    "behind a user": lambda address: f"example.com@{address}",
    "behind a backslash": lambda address: f"{address}\\@example.com",
    "v6 mapped": _in_v6("::ffff:"),
    "v6 mapped, hex": lambda address: f"[::ffff:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}]",
    "v6 compatible": _in_v6("::"),
    "v6 translated": _in_v6("::ffff:0:"),
    "NAT64": _in_v6("64:ff9b::"),
    "6to4": lambda address: f"[2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::1]",
    "Teredo": lambda address: f"[2001:0:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::1]",
}
NAMES_OF_THIS_MACHINE = ["localhost", "LOCALHOST", "localhost.", "a.localhost", "loc\u24d0lhost"]
METADATA_NAMES = ["metadata.google.internal", "metadata.internal", "Metadata.Internal."]

LITERALS = [
    pytest.param(policy, spell(IPv4Address(address)), id=f"{name} {address}")
    for policy, addresses in ((STRICT, PRIVATE_V4 + NEVER_V4), (INSECURE, NEVER_V4))
    for name, spell in SPELLINGS.items()
    for address in addresses
]
LITERALS += [
    pytest.param(policy, f"[{address}]", id=address)
    for policy, addresses in ((STRICT, PRIVATE_V6 + NEVER_V6), (INSECURE, NEVER_V6))
    for address in addresses
]
LITERALS += [
    pytest.param(policy, name, id=ascii(name))
    for policy, names in (
        (STRICT, NAMES_OF_THIS_MACHINE + METADATA_NAMES),
        (INSECURE, METADATA_NAMES),
    )
    for name in names
]

PUBLIC = "1.1.1.1"
# Over http, so that bytes would come at once if the connection were used.
URL_OF_A = check_url("http://a.example/", INSECURE)
REBINDINGS: dict[str, Callable[[str], list[list[str]]]] = {
    "at once": lambda address: [[address]],
    "after a public answer": lambda address: [[PUBLIC], [address]],
    "before a public one": lambda address: [[PUBLIC], [address, PUBLIC]],
    "behind a public one": lambda address: [[PUBLIC], [PUBLIC, "2606:4700::1111", address]],
}
LIES = [
    pytest.param(policy, turns(address), address, id=f"{address} {name}")
    for policy, addresses in (
        (STRICT, PRIVATE_V4 + NEVER_V4 + PRIVATE_V6 + NEVER_V6),
        (INSECURE, NEVER_V4 + NEVER_V6),
    )
    for name, turns in REBINDINGS.items()
    for address in addresses
]


@pytest.fixture(scope="module")
async def canary() -> AsyncIterator[Receiver]:
    async with receiving(answering(OK)) as receiver:
        yield receiver


class Attacker:
    """Has a URL sent as the program does, and watches the sockets."""

    def __init__(self, policy: EgressPolicy, names: NameLookup, canary: Receiver) -> None:
        self.policy = policy
        self.names = names
        self.dialer = Dialer()
        self._canary = canary

    async def send(self, url: CheckedURL) -> None:
        async with OutboundClient(
            self.policy,
            self.names,
            user_agent="Test/1.0",
            max_connections=2,
            open_socket=self.dialer.open_socket,
        ) as client:
            await client.send("POST", url, {}, b"{}", TIMEOUT)

    @contextmanager
    def expecting_no_dial(self) -> Iterator[None]:
        before = self._canary.connections
        yield
        assert self.dialer.dialed == []
        assert self._canary.connections == before


@pytest.mark.parametrize(("policy", "host"), LITERALS)
async def test_a_blocked_host_in_a_url_is_refused_unasked(
    canary: Receiver, policy: EgressPolicy, host: str
) -> None:
    server = NameServer({})
    with server.lookup() as names:
        attacker = Attacker(policy, names, canary)
        for scheme in ("https", "http"):
            with attacker.expecting_no_dial(), pytest.raises(InvalidURL):
                await attacker.send(check_url(f"{scheme}://{host}:{canary.port}/x", policy))
    assert server.asked == []


@pytest.mark.parametrize(("policy", "turns", "address"), LIES)
async def test_a_name_that_turns_to_a_blocked_address_is_not_dialed(
    canary: Receiver, policy: EgressPolicy, turns: list[list[str]], address: str
) -> None:
    url = check_url(f"https://rebind.example:{canary.port}/", policy)
    with NameServer({"rebind.example": turns}).lookup() as names:
        attacker = Attacker(policy, names, canary)
        with attacker.expecting_no_dial():
            if len(turns) > 1:
                await resolve_check(url, policy, names)
            with pytest.raises(Blocked, match="blocked") as caught:
                await attacker.send(url)
    assert address not in caught.value.message


@pytest.mark.parametrize("address", PRIVATE_V4 + NEVER_V4 + PRIVATE_V6 + NEVER_V6)
async def test_the_wall_holds_though_the_url_was_let_through(
    canary: Receiver, names: NameLookup, address: str
) -> None:
    """As when a stricter policy meets a URL that an older one accepted."""
    in_brackets = f"[{address}]" if ":" in address else address
    url = CheckedURL(
        text="",
        scheme="http",
        host=address,
        port=canary.port,
        authority=f"{in_brackets}:{canary.port}",
        target="/",
        address=ip_address(address),
    )
    attacker = Attacker(STRICT, names, canary)
    with attacker.expecting_no_dial(), pytest.raises(Blocked):
        await attacker.send(url)


@pytest.mark.parametrize("address", NEVER_V4 + NEVER_V6)
async def test_a_redirect_to_a_blocked_address_is_not_followed(
    names: NameLookup, address: str
) -> None:
    in_brackets = f"[{address}]" if ":" in address else address
    location = f"Location: http://{in_brackets}/latest/meta-data/".encode()
    redirect = b"HTTP/1.1 307 Moved\r\nContent-Length: 0\r\n" + location + b"\r\n\r\n"
    async with receiving(answering(redirect)) as receiver:
        attacker = Attacker(INSECURE, names, receiver)
        await attacker.send(check_url(receiver.url(), INSECURE))
    assert attacker.dialer.dialed == ["127.0.0.1"]


async def test_a_connection_that_ends_elsewhere_carries_no_byte() -> None:
    """The network itself diverts the connection: only the peer of the socket tells."""
    came: list[bytes] = []
    ended = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            came.append(await reader.read())
        ended.set()

    async with receiving(listen) as receiver:

        class Diverted(socket.socket):
            @override
            def connect(self, address: object) -> None:
                super().connect(("127.0.0.1", receiver.port))

        with NameServer({"a.example": [[PUBLIC]]}).lookup() as names:
            async with OutboundClient(
                STRICT,
                names,
                user_agent="Test/1.0",
                max_connections=2,
                open_socket=lambda info: Diverted(info[0], info[1]),
            ) as client:
                with pytest.raises(Blocked):
                    await client.send("POST", URL_OF_A, {}, b"secret", TIMEOUT)
        await ended.wait()
    assert b"".join(came) == b""


async def test_a_name_that_lies_under_load_is_never_dialed_at_a_blocked_address(
    canary: Receiver,
) -> None:
    """Answers alternate while many sends race for them."""
    turns = [[PUBLIC], ["127.0.0.1"], [PUBLIC, "169.254.169.254"], ["2606:4700::1111"], ["::1"]]
    with NameServer({"rebind.example": turns * 20}).lookup() as names:
        attacker = Attacker(STRICT, names, canary)
        url = check_url(f"https://rebind.example:{canary.port}/", STRICT)
        before = canary.connections
        ended = await asyncio.gather(*map(attacker.send, [url] * 100), return_exceptions=True)
    assert all(isinstance(error, OutboundError) for error in ended)
    assert attacker.dialer.dialed
    assert not any(is_blocked(address, STRICT) for address in attacker.dialer.dialed)
    assert canary.connections == before


async def test_a_public_name_is_dialed_at_its_address_and_the_canary_can_sing(
    canary: Receiver,
) -> None:
    """Without this, the tests above would pass with a client that never dials."""
    with NameServer({"a.example": [[PUBLIC]], "here.example": [["127.0.0.1"]]}).lookup() as names:
        attacker = Attacker(STRICT, names, canary)
        with pytest.raises(ConnectFailed):
            await attacker.send(check_url("https://a.example/", STRICT))
        assert attacker.dialer.dialed == [PUBLIC]
        before = canary.connections
        attacker = Attacker(INSECURE, names, canary)
        await attacker.send(check_url(f"http://here.example:{canary.port}/", INSECURE))
    assert attacker.dialer.dialed == ["127.0.0.1"]
    assert canary.connections == before + 1

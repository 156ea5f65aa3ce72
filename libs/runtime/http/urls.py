"""URLs that users give: read once, judged, and sent exactly as judged."""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address
from urllib.parse import quote

from libs.runtime.http.addresses import EgressPolicy, IPAddress, is_blocked
from libs.runtime.http.hosts import InvalidHost, parse_host

MAX_LENGTH = 2048
_PARTS = re.compile(
    r"(?P<scheme>[^:/?#]+)://(?P<authority>[^/?#]*)(?P<target>[^#]*)(?:#.*)?", re.DOTALL
)
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>[0-9]*))?", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_METADATA_NAMES = ("metadata.google.internal", "metadata.internal")
_PRINTABLE_ASCII = "".join(map(chr, range(0x21, 0x7F)))


class InvalidURL(ValueError):
    """The URL is malformed or not allowed; `reason` tells its author what to change."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CheckedURL:
    """A URL that passed `check_url`, with the one reading of it that is sent.

    `text` is byte for byte what was given. `host` is the A-label name or the address, without
    brackets; `address` is set when the host is an address. `authority` is host and port as the
    Host header says them, `target` path and query as they go on the wire. `trusted`: the operator
    vouches for it.
    """

    text: str
    scheme: str
    host: str
    port: int
    authority: str
    target: str
    address: IPAddress | None
    trusted: bool = False


@lru_cache(maxsize=2048)
def check_url(text: str, policy: EgressPolicy) -> CheckedURL:
    """Read and judge a URL without looking its name up. Rules: contract §6.

    Raises:
        InvalidURL: too long, malformed, wrong scheme, with user info, or a host that is refused.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidURL(f"the URL must be at most {MAX_LENGTH} characters")
    # Not printable: controls, separators, zero-width characters, unpaired surrogates.
    if not text.isprintable() or " " in text or "\\" in text:
        raise InvalidURL("the URL must not contain spaces, backslashes or control characters")
    for origin in policy.trusted_origins:
        rest = text.removeprefix(origin.prefix)
        if rest != text and _stays_below(rest):
            return _read(text, (origin.send_to or origin.prefix) + rest, trusted=True)
    checked = _read(text, text, trusted=False)
    _judge(checked, policy)
    return checked


def _stays_below(rest: str) -> bool:
    path = rest.partition("?")[0]
    return "%" not in path and not {".", ".."}.intersection(path.split("/"))


def _read(text: str, sent: str, *, trusted: bool) -> CheckedURL:
    parts = _PARTS.fullmatch(sent)
    if parts is None:
        raise InvalidURL("the URL must be absolute: https://host/path")
    scheme = parts["scheme"].lower()
    if scheme not in _DEFAULT_PORTS:
        raise InvalidURL("the URL must start with https://")
    if "@" in parts["authority"]:
        raise InvalidURL("the URL must not contain a user name or password")
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if authority is None or not authority["host"]:
        raise InvalidURL("the URL must name a host, and a port only as a number")
    port = int(authority["port"] or _DEFAULT_PORTS[scheme])
    if not 1 <= port <= 65535:
        raise InvalidURL("the port must be between 1 and 65535")
    try:
        host = parse_host(authority["host"])
    except InvalidHost as error:
        raise InvalidURL(str(error)) from error
    target = quote(parts["target"], safe=_PRINTABLE_ASCII)
    if not target.startswith("/"):
        target = "/" + target
    in_brackets = f"[{host}]" if isinstance(host, IPv6Address) else str(host)
    usual_port = port == _DEFAULT_PORTS[scheme]
    return CheckedURL(
        text=text,
        scheme=scheme,
        host=str(host),
        port=port,
        authority=in_brackets if usual_port else f"{in_brackets}:{port}",
        target=target,
        address=None if isinstance(host, str) else host,
        trusted=trusted,
    )


def _judge(checked: CheckedURL, policy: EgressPolicy) -> None:
    if checked.scheme != "https" and not policy.allow_insecure:
        raise InvalidURL("the URL must start with https://")
    if checked.address is not None:
        if is_blocked(checked.address, policy):
            raise InvalidURL("the host is blocked: it must be a public address")
    elif checked.host in _METADATA_NAMES:
        raise InvalidURL("the host is blocked: it serves cloud metadata")
    elif _is_localhost(checked.host) and not policy.allow_insecure:
        raise InvalidURL("the host is blocked: localhost is not reachable from here")


def _is_localhost(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")

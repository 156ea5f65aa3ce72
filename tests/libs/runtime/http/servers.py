"""A name server that says what it is told, and a dialer that tells what it was asked to dial."""

import contextlib
import errno
import socket
from collections.abc import Iterator, Mapping, Sequence

import aiohttp

from libs.runtime.http.connector import open_socket
from libs.runtime.http.names import NameLookup


class NameServer:
    """Gives each name its answers in turn, the last again and again; other names are unknown."""

    def __init__(self, answers: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._answers = {name: list(turns) for name, turns in answers.items()}
        self.asked: list[str] = []

    def addresses_of(self, host: str) -> tuple[str, ...]:
        self.asked.append(host)
        turns = self._answers.get(host)
        if turns is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return tuple(turns.pop(0) if len(turns) > 1 else turns[0])

    @contextlib.contextmanager
    def lookup(self, ttl: float = 0, max_names: int = 100) -> Iterator[NameLookup]:
        names = NameLookup(self.addresses_of, ttl=ttl, max_names=max_names, max_threads=4)
        try:
            yield names
        finally:
            names.close()


class Dialer:
    """Opens sockets to this machine only, and remembers every address it was asked for."""

    def __init__(self) -> None:
        self.dialed: list[str] = []

    def open_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        address = info[4][0]
        self.dialed.append(address)
        if address in ("127.0.0.1", "::1", "0.0.0.0"):
            return open_socket(info)
        raise OSError(errno.ENETUNREACH, "the internet is not part of this test")

"""Free TCP ports on the loopback address."""

import os
import secrets
import socket

from deploy.local.errors import StackError

LOOPBACK = "127.0.0.1"

# Below the range from which kernels take the ports of outgoing connections, so that a
# server which is stopped for a moment finds its port still free when it comes back.
_LOWEST, _COUNT = 20_000, 12_000
# A port is chosen some seconds before its server listens. So no process gives one twice, and each
# chooses in a part of the range of its own.
_PARTS = 12
_given: set[int] = set()


def is_free(port: int) -> bool:
    """Say whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a port on which nothing listens now. Raises `StackError` when none is found."""
    size = _COUNT // _PARTS
    lowest = _LOWEST + os.getpid() % _PARTS * size
    for _ in range(1_000):
        port = lowest + secrets.randbelow(size)
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise StackError("No free TCP port was found.", "Stop some servers on this machine.")

"""Free TCP ports on the loopback address."""

import secrets
import socket

from deploy.local.errors import StackError

LOOPBACK = "127.0.0.1"

# Below the range from which kernels take the ports of outgoing connections, so that a
# server which is stopped for a moment finds its port still free when it comes back.
_LOWEST, _COUNT = 20_000, 12_000


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
    for _ in range(200):
        port = _LOWEST + secrets.randbelow(_COUNT)
        if is_free(port):
            return port
    raise StackError("No free TCP port was found.", "Stop some servers on this machine.")

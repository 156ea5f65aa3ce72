"""Stands in for a service: answers its health checks, logs a line, ends on SIGTERM.

Its argument is its name. Asked for `/crash` it ends with code 3. The name in `BROKEN`
fails at its start, the one in `DEAF` does not heed SIGTERM.
"""

import json
import os
import signal
import socket
import sys


def main() -> None:
    name = sys.argv[1]
    if os.environ.get("BROKEN") == name:
        sys.exit("SESSION_SECRET is too short")
    if os.environ.get("DEAF") == name:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    port = int(os.environ["PORT" if name == "api" else "CUEAPI_HEALTH_PORT"])
    print(json.dumps({"event": "ready", "level": "info", "service": name}), flush=True)
    with socket.create_server(("127.0.0.1", port)) as server:
        while True:
            answer(server.accept()[0])


def answer(connection: socket.socket) -> None:
    with connection:
        if connection.recv(4096).startswith(b"GET /crash "):
            print("it hurts", flush=True)
            os._exit(3)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


main()

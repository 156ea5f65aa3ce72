"""Stands in for a service: answers its health checks, logs a line, ends on SIGTERM.

Its argument is its name. Asked for `/crash` it ends with code 3. The name in `BROKEN`
fails at its start, the one in `DEAF` does not heed SIGTERM.
"""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/crash":
            print("it hurts", flush=True)
            os._exit(3)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    name = sys.argv[1]
    if os.environ.get("BROKEN") == name:
        sys.exit("SESSION_SECRET is too short")
    if os.environ.get("DEAF") == name:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    port = os.environ["PORT" if name == "api" else "CUEAPI_HEALTH_PORT"]
    print(json.dumps({"event": "ready", "level": "info", "service": name}), flush=True)
    HTTPServer(("127.0.0.1", int(port)), Health).serve_forever()


main()

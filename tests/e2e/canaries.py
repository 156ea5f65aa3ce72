"""Finding secrets where they must not be: in the log, the streams, service logs and errors."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from deploy.local.stack import Stack
from tests.e2e.history import History

# Keys, webhook secrets, and the header values which every cue of these tests sends along.
PATTERN = r"cue_sk_[0-9a-f]{32}|whsec_[0-9a-f]{64}|canary-[0-9a-f]{32}"
_PATTERN = re.compile(PATTERN.encode())


def leaks(stack: Stack, history: History) -> Iterator[str]:
    """Say where a secret is that should be nowhere: planted, the accounts', or the stack's own."""
    own = [value.encode() for value in json.loads(stack.folder.secrets.read_text()).values()]
    for file in (stack.folder.nats / "jetstream").rglob("*"):
        if _holds(_content(file), own):
            yield f"JetStream's {file.name} holds a secret"
    for process in stack.processes:
        for line in process.lines:
            if _holds(line.encode(), own):
                yield f"{process.name} logged a secret: {line[:300]}"
    for exchange in history.exchanges:
        if not exchange.accepted and _holds(json.dumps(exchange.body).encode(), own):
            yield f"an error tells a secret: {exchange.body}"


def _content(file: Path) -> bytes:
    # The server makes and removes files meanwhile.
    try:
        return file.read_bytes() if file.is_file() else b""
    except FileNotFoundError:
        return b""


def _holds(text: bytes, own: list[bytes]) -> bool:
    return _PATTERN.search(text) is not None or any(secret in text for secret in own)

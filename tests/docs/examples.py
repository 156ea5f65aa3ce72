"""The examples of a page as one script, which does what a reader does who pastes them in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from services.api.routes.docs import FOLDER

BLOCK = re.compile(r"^```(\S+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What needs more than this machine has (a cluster), or would start a second stack.
ELSEWHERE = "elsewhere"
SERVER = "http://localhost:8000"
RECEIVER_PORT = "9100"

# A refused request fails the script. Where a reader waits a second or two, this waits until
# nothing is under way, and until the receiver listens that the page has started.
_PREAMBLE = f"""\
set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
# 28: the time that the reader gave it is over.
curl() {{ command curl --fail-with-body "$@" || [ $? -eq 28 ]; }}
settled() {{
  [ ! -e receiver.py ] || (: </dev/tcp/127.0.0.1/{RECEIVER_PORT}) 2>/dev/null || return 1
  ! command curl -sS "$CUEAPI_BASE_URL/v1/executions" -H "Authorization: Bearer $CUEAPI_API_KEY" |
    grep -qE '"status":"(pending|delivering)"'
}}
sleep() {{
  for _ in $(seq 300); do
    if settled; then return 0; fi
    command sleep 0.1
  done
  echo "nothing has settled in 30 seconds" >&2
  return 1
}}
"""


class Block(NamedTuple):
    """A fenced block: its language, what is said beside it, and its text."""

    language: str
    notes: str
    code: str

    @property
    def file(self) -> str | None:
        """The name under which a reader is told to save it."""
        found = re.search(r"file=(\S+)", self.notes)
        return found.group(1) if found else None


def blocks_of(file: str) -> list[Block]:
    """Every fenced block of a page."""
    return [Block(*found) for found in BLOCK.findall((FOLDER / file).read_text())]


def runnable(file: str) -> list[Block]:
    """The blocks that are run."""
    return [
        block
        for block in blocks_of(file)
        if block.language in ("bash", "python") and ELSEWHERE not in block.notes
    ]


def script_of(file: str, folder: Path, server: str, port: int) -> str:
    """Write what the page saves into the folder; give its examples as one script for bash.

    A page's pieces of Python are one program, which runs where the last of them stands.
    """

    def here(text: str) -> str:
        return text.replace(SERVER, server).replace(RECEIVER_PORT, str(port))

    for block in blocks_of(file):
        if block.file is not None:
            (folder / block.file).write_text(here(block.code))
    return here(_PREAMBLE) + "".join(map(here, _lines(runnable(file))))


def _lines(blocks: list[Block]) -> Iterator[str]:
    program = [each for each in blocks if each.language == "python" and each.file is None]
    for block in blocks:
        if block.language == "bash":
            yield block.code
        elif program and block is program[-1]:
            yield "python3 - <<'END_OF_PROGRAM'\n"
            yield from (each.code for each in program)
            yield "END_OF_PROGRAM\n"

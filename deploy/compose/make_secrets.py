"""Writes what the services keep secret into a folder, one file for each setting.

What is there stays, so that a stack keeps its keys; what the environment gives replaces it.
Runs before everything else, in the image, as the user of the services.
"""

import base64
import os
import secrets
from pathlib import Path

KEPT = Path("/run/cueapi")


def keep(name: str, made: str, *, mode: int = 0o600) -> str:
    """Keep a secret: what the environment says, else what is kept, else what was made."""
    path = KEPT / name
    given = os.environ.get(name)
    if given or not path.exists():
        unfinished = path.with_suffix(".new")
        unfinished.touch(mode=mode)
        unfinished.write_text(given or made)
        unfinished.rename(path)
    return path.read_text()


keep("SESSION_SECRET", secrets.token_hex(32))
keep("CUEAPI_ENCRYPTION_KEY", base64.b64encode(secrets.token_bytes(32)).decode())
password = keep("POSTGRES_PASSWORD", secrets.token_hex(24), mode=0o640)  # Postgres is of the group
keep("DATABASE_URL", f"postgresql://cueapi:{password}@postgres:5432/cueapi")

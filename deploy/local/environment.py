"""What the services are told by environment variables (contract §13)."""

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.failures import of_os_error
from deploy.local.ports import LOOPBACK


def kept_secrets(path: Path) -> dict[str, str]:
    """Return the stack's secrets from the file `path`, which is made at the first call.

    Raises `StackError` if it can be neither read nor made.
    """
    try:
        if not path.exists():
            made = {
                "SESSION_SECRET": secrets.token_hex(32),
                "CUEAPI_ENCRYPTION_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            }
            write_private(path, json.dumps(made, indent=2))
        kept: dict[str, str] = json.loads(path.read_text())
    except OSError as error:
        raise of_os_error(error, path) from error
    except ValueError as error:
        raise StackError(
            f"{path} is damaged; it holds the keys to what the database keeps encrypted.",
            "Put a copy of it back, or move the whole data folder away and start again.",
        ) from error
    return kept


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; it is there whole or not at all."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.rename(path)


def service_environment(
    inherited: Mapping[str, str],
    secrets: Mapping[str, str],
    *,
    database_url: str,
    nats_url: str,
    base_url: str,
    smtp_url: str,
) -> dict[str, str]:
    """Return the environment of all services, but for the ports of each.

    The user's own environment goes first where it may choose, and last where it could
    only break the wiring (`ENV` means something else to shells).
    """
    choices = {
        "ALLOW_INSECURE_CALLBACKS": "true",
        "CUEAPI_SMTP_URL": smtp_url,
        "DASHBOARD_URL": f"{base_url}/dashboard",
        "DEFAULT_PLAN": "scale",
        "CUEAPI_STOP_GRACE_SECONDS": "8",
    }
    wiring = {
        "DATABASE_URL": database_url,
        "NATS_URL": nats_url,
        "BASE_URL": base_url,
        "HOST": LOOPBACK,
        "ENV": "development",
        "CUEAPI_LOG_FORMAT": "json",
    }
    return {**choices, **inherited, **secrets, **wiring}

"""The local account: made at the first start, found again at the next."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from deploy.local.api import ask, content
from deploy.local.environment import write_private
from deploy.local.errors import StackError
from deploy.local.failures import of_os_error

_MOST_ACCOUNTS = 50


@dataclass(frozen=True)
class Account:
    """An account of the local stack and its API key."""

    email: str
    api_key: str


async def local_account(path: Path, client: httpx.AsyncClient) -> Account:
    """Return the account kept in the file `path` if its key still works, else a new one.

    A new one is kept there too. Raises `StackError`.
    """
    kept = _read(path)
    if kept is not None and await _works(kept, client):
        return kept
    made = await _register(client)
    try:
        write_private(path, json.dumps(asdict(made), indent=2))
    except OSError as error:
        raise of_os_error(error, path) from error
    return made


def _read(path: Path) -> Account | None:
    try:
        kept = json.loads(path.read_text())
        return Account(email=kept["email"], api_key=kept["api_key"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        # A damaged file is as good as none: the next free address gets a new account.
        return None
    except OSError as error:
        raise of_os_error(error, path) from error


async def _works(account: Account, client: httpx.AsyncClient) -> bool:
    response = await ask(client, "GET", "/v1/auth/me", key=account.api_key)
    return response.status_code != httpx.codes.UNAUTHORIZED


async def _register(client: httpx.AsyncClient) -> Account:
    """Register the first address that has no account: a lost key cannot be had again."""
    for number in range(1, _MOST_ACCOUNTS + 1):
        name = "local" if number == 1 else f"local-{number}"
        body = {"email": f"{name}@example.com"}
        response = await ask(client, "POST", "/v1/auth/register", body)
        if response.status_code != httpx.codes.CONFLICT:
            answer = content(response)
            return Account(email=answer["email"], api_key=answer["api_key"])
    raise StackError(
        f"There are {_MOST_ACCOUNTS} local accounts already, and the keys of all are lost.",
        "Put account.json back, or move the data folder away and start again.",
    )

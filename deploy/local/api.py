"""The local API as the demo calls it: over HTTP, like anybody else."""

from typing import Any

import httpx

from deploy.local.errors import StackError
from deploy.local.waiting import NO_CERTIFICATES

_ANSWER_SECONDS = 15.0


def client(base_url: str) -> httpx.AsyncClient:
    """Return a client of the API at `base_url`, which is plain HTTP."""
    return httpx.AsyncClient(
        base_url=base_url, timeout=_ANSWER_SECONDS, trust_env=False, verify=NO_CERTIFICATES
    )


async def ask(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    key: str | None = None,
) -> httpx.Response:
    """Return the API's answer, whatever it is. Raises `StackError` if there is none."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    try:
        return await client.request(method, path, json=body, headers=headers)
    except httpx.TransportError as error:
        raise did_not_work(f"{method} {path} failed: {error!r}") from error


def content(response: httpx.Response) -> dict[str, Any]:
    """Return what a 2xx answer holds. Raises `StackError` for any other."""
    if not response.is_success:
        asked = f"{response.request.method} {response.request.url.path}"
        raise did_not_work(f"{asked} was answered {response.status_code}: {response.text}")
    answer: dict[str, Any] = response.json()
    return answer


def did_not_work(problem: str) -> StackError:
    """Return the error for a demo that does not go as it should."""
    return StackError(
        f"The demo did not work: {problem}",
        "Look at the log lines above; `python -m deploy.local --no-demo` starts without it.",
    )

"""The local account and the demonstration, against an API that answers as the contract says."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from deploy.local.account import Account, local_account
from deploy.local.demo import demonstrate
from deploy.local.errors import StackError
from deploy.local.presentation import addresses, curl_commands, delivery_panel, timeline_table
from deploy.local.processes import discard
from deploy.local.receiver import Delivery, Receiver

DUE = datetime(2026, 3, 28, 13, 0, tzinfo=UTC)
EXECUTION = "550e8400-e29b-41d4-a716-446655440000"
CUE = "cue_x7k9m2p4q8w1"


class FakeApi:
    """Registers accounts, and knows one execution."""

    def __init__(self) -> None:
        self.accounts: dict[str, str] = {}
        self.cues: list[dict[str, Any]] = []
        self.requests: list[str] = []

    def client(self) -> httpx.AsyncClient:
        transport = httpx.MockTransport(self._answer)
        return httpx.AsyncClient(base_url="http://api", transport=transport)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        asked = f"{request.method} {request.url.path}"
        self.requests.append(asked)
        match asked:
            case "POST /v1/auth/register":
                return self._register(json.loads(request.content)["email"])
            case "GET /v1/auth/me":
                key = request.headers["Authorization"].removeprefix("Bearer ")
                return httpx.Response(200 if key in self.accounts.values() else 401, json={})
            case "POST /v1/cues":
                self.cues.append(json.loads(request.content))
                return httpx.Response(201, json={"id": CUE, "name": self.cues[-1]["name"]})
            case _ if asked == f"GET /v1/executions/{EXECUTION}":
                return httpx.Response(200, json=execution())
            case _ if asked == f"GET /v1/executions/{EXECUTION}/timeline":
                return httpx.Response(200, json={"events": [scheduled_event()]})
            case _:
                return httpx.Response(500, json={"error": {"code": "internal_error"}})

    def _register(self, email: str) -> httpx.Response:
        if email in self.accounts:
            return httpx.Response(409, json={"error": {"code": "duplicate_email"}})
        self.accounts[email] = f"cue_sk_{len(self.accounts):032x}"
        return httpx.Response(201, json={"email": email, "api_key": self.accounts[email]})


def execution() -> dict[str, Any]:
    due = DUE.isoformat().replace("+00:00", "Z")
    return {"id": EXECUTION, "scheduled_for": due, "outcome_state": "reported_success"}


def scheduled_event() -> dict[str, Any]:
    return {
        "at": "2026-03-28T13:00:00.012000Z",
        "type": "ExecutionScheduled",
        "summary": "Scheduled by [the cue]",
    }


def delivery(cue_id: str = CUE) -> Delivery:
    return Delivery(
        headers={
            "X-CueAPI-Cue-Id": cue_id,
            "X-CueAPI-Execution-Id": EXECUTION,
            "X-CueAPI-Signature": "v1=" + "f" * 64,
        },
        body='{"attempt": 1}',
        verified=True,
        received_at=DUE + timedelta(milliseconds=31),
    )


async def test_an_account_is_made_once_and_found_again(tmp_path: Path) -> None:
    api = FakeApi()
    path = tmp_path / "account.json"
    async with api.client() as client:
        made = await local_account(path, client)
        found = await local_account(path, client)
    assert made == found
    assert made.email == "local@example.com"
    assert api.requests.count("POST /v1/auth/register") == 1
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_lost_or_dead_key_gets_another_account(tmp_path: Path) -> None:
    api = FakeApi()
    path = tmp_path / "account.json"
    async with api.client() as client:
        await local_account(path, client)
        path.unlink()
        second = await local_account(path, client)
        path.write_text("{")
        third = await local_account(path, client)
        api.accounts[third.email] = "cue_sk_regenerated"
        fourth = await local_account(path, client)
    emails = [account.email for account in (second, third, fourth)]
    assert emails == ["local-2@example.com", "local-3@example.com", "local-4@example.com"]


async def test_an_api_that_fails_is_quoted(tmp_path: Path) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(500, text="out of order"))
    async with httpx.AsyncClient(base_url="http://api", transport=transport) as client:
        with pytest.raises(StackError, match="register was answered 500: out of order"):
            await local_account(tmp_path / "account.json", client)


async def test_the_demo_shows_its_own_delivery_and_timeline() -> None:
    api = FakeApi()
    receiver = Receiver("whsec_", 9000, discard)
    receiver.deliveries.put_nowait(delivery("cue_of_earlier"))
    receiver.deliveries.put_nowait(delivery())
    account = Account("local@example.com", "cue_sk_1")
    async with api.client() as client:
        seen = await demonstrate(client, account, receiver)
    assert api.cues[0]["schedule"]["type"] == "once"
    assert api.cues[0]["callback"]["url"] == receiver.url
    assert seen.lateness == timedelta(milliseconds=31)

    console = Console(record=True, width=80, file=io.StringIO())
    console.print(delivery_panel(seen), timeline_table(seen))
    console.print(addresses("http://api", receiver.url, "http://mail", account))
    shown = console.export_text()
    assert "signature verified, 31 ms after it was due" in shown
    assert "Scheduled by [the cue]" in shown
    assert "cue_sk_1" in shown
    commands = curl_commands("http://api", receiver.url, account, seen)
    assert f"${{CUE_ID:-{CUE}}}/fire" in commands

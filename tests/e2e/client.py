"""The API as a user's client calls it, on httpx; every exchange goes into the history."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from tests.e2e.history import Exchange, History
from tests.e2e.receiver import Hook, Receiver
from tests.e2e.waiting import LIMIT_SECONDS, eventually

ENDED = ("success", "failed", "missed", "outcome_timeout")

JsonObject = dict[str, Any]


def in_seconds(seconds: float) -> str:
    """An instant from now, as a client writes it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def ok(exchange: Exchange, status: int = 200) -> Any:
    """Return the body of an answer; an AssertionError unless it has this status."""
    assert exchange.status == status, f"{exchange.method} {exchange.path}: {exchange.body}"
    return exchange.body


def refused(exchange: Exchange, status: int, code: str) -> JsonObject:
    """Return the error of a refusal; an AssertionError unless it is this one (contract §1)."""
    sent = str(exchange.sent)[:300]
    assert exchange.status == status, f"{exchange.method} {exchange.path} {sent}: {exchange.body}"
    error: JsonObject = exchange.body["error"]
    assert (error["code"], error["status"]) == (code, status)
    assert error["message"]
    assert error["request_id"] == exchange.headers["x-request-id"]
    assert "detail" not in exchange.body
    return error


class Api:
    """One account's client. `key` None calls without a token."""

    def __init__(
        self, http: httpx.AsyncClient, history: History, receiver: Receiver, key: str | None = None
    ) -> None:
        self._http = http
        self._history = history
        self._receiver = receiver
        self.key = key
        self.email = ""
        self.webhook_secret = ""

    async def register(self) -> "Api":
        """Open an account, and learn its key and webhook secret."""
        self.email = f"{uuid4()}@example.com"
        registered = await self.post("/v1/auth/register", {"email": self.email})
        self.key = ok(registered, 201)["api_key"]
        self.webhook_secret = ok(await self.get("/v1/auth/webhook-secret"))["webhook_secret"]
        return self

    async def call(
        self,
        method: str,
        path: str,
        sent: Any = None,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Exchange:
        """Send one request; note it and its answer, or that none came."""
        sending = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        sending |= headers or {}
        key = sending.get("Idempotency-Key")
        about = {"method": method, "path": path, "sent": sent, "idempotency_key": key}
        try:
            answer = await self._http.request(
                method, path, json=sent, content=content, headers=sending
            )
        except httpx.TransportError:
            exchange = Exchange(account=self.email, **about)
        else:
            exchange = Exchange(
                account=self.email,
                status=answer.status_code,
                body=json.loads(answer.content) if answer.content else None,
                headers=answer.headers,
                **about,
            )
        self._history.exchanges.append(exchange)
        return exchange

    async def get(self, path: str) -> Exchange:
        """GET."""
        return await self.call("GET", path)

    async def post(self, path: str, sent: Any = None, **headers: str) -> Exchange:
        """POST; `headers` are named with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.call("POST", path, sent, headers=named)

    async def insist(self, method: str, path: str, sent: Any = None) -> Exchange:
        """Send until an answer comes that is no 503, always with the same idempotency key."""
        headers = {"Idempotency-Key": str(uuid4())}

        async def answered() -> Exchange | None:
            exchange = await self.call(method, path, sent, headers=headers)
            return exchange if exchange.status not in (None, 503) else None

        return await eventually(answered, f"an answer to {method} {path}", 2 * LIMIT_SECONDS)

    def hook(self) -> Hook:
        """Make a callback of this account's."""
        return self._receiver.hook(self.webhook_secret)

    def cue_body(self, hook: Hook, **fields: Any) -> JsonObject:
        """A cue which calls `hook`, by default a day from now."""
        callback = {"url": hook.url, "headers": {"X-Canary": hook.canary}}
        return {"name": str(uuid4()), "schedule": tomorrow(), "callback": callback, **fields}

    async def webhook_cue(self, hook: Hook, **fields: Any) -> JsonObject:
        """Create a cue; see `cue_body`."""
        body = self.cue_body(hook, **fields)
        created: JsonObject = ok(await self.insist("POST", "/v1/cues", body), 201)
        return created

    async def worker_cue(self, **fields: Any) -> JsonObject:
        """Create a cue for workers, by default a day from now."""
        body = {"name": str(uuid4()), "schedule": tomorrow(), "transport": "worker", **fields}
        created: JsonObject = ok(await self.insist("POST", "/v1/cues", body), 201)
        return created

    async def fire(self, cue_id: str, **fields: Any) -> str:
        """Fire a cue; return the execution's id."""
        fired = await self.insist("POST", f"/v1/cues/{cue_id}/fire", fields)
        return str(ok(fired)["execution_id"])

    async def cue(self, cue_id: str) -> JsonObject:
        """Read a cue."""
        read: JsonObject = ok(await self.get(f"/v1/cues/{cue_id}"))
        return read

    async def execution(self, execution_id: str) -> JsonObject:
        """Read an execution."""
        read: JsonObject = ok(await self.get(f"/v1/executions/{execution_id}"))
        return read

    async def timeline(self, execution_id: str) -> list[str]:
        """Read the names of an execution's events, oldest first."""
        read = ok(await self.get(f"/v1/executions/{execution_id}/timeline"))
        return [event["type"] for event in read["events"]]

    async def when(self, execution_id: str, **wanted: Any) -> JsonObject:
        """Wait until an execution has these values, and return it."""

        async def look() -> JsonObject | None:
            read = await self.get(f"/v1/executions/{execution_id}")
            if read.status == 503 or read.status is None:
                return None
            body: JsonObject = ok(read)
            return body if wanted.items() <= body.items() else None

        return await eventually(look, f"execution {execution_id} with {wanted}")

    async def cue_when(self, cue_id: str, **wanted: Any) -> JsonObject:
        """Wait until a cue has these values, and return it."""

        async def look() -> JsonObject | None:
            body = await self.cue(cue_id)
            return body if wanted.items() <= body.items() else None

        return await eventually(look, f"cue {cue_id} with {wanted}")

    async def only_execution(self, cue_id: str, **wanted: Any) -> JsonObject:
        """Wait until a cue has exactly one execution, with these values; return it."""

        async def made() -> str | None:
            read = await self.cue(cue_id)
            return read["executions"][0]["id"] if read["execution_total"] == 1 else None

        return await self.when(await eventually(made, f"an execution of {cue_id}"), **wanted)


def tomorrow() -> JsonObject:
    """A schedule that does not come due during a test."""
    return {"type": "once", "at": in_seconds(86_400)}


def soon(seconds: float = 2.0) -> JsonObject:
    """A schedule that comes due once, in `seconds`."""
    return {"type": "once", "at": in_seconds(seconds)}

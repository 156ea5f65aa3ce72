"""What comes to a handler on this machine: `listen`, `trigger`, `dev`, `doctor`."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from typing import Any

import httpx
import pytest
from cueapi.webhooks import verify_webhook
from cueapi_cli.commands import mcp
from cueapi_cli.commands.dev import server_command
from cueapi_cli.failures import Failure, exit_code
from cueapi_cli.session import Session
from cueapi_cli.signing import body_of, copied, signature, signed
from typer import Abort

from tests.clients.cli.conftest import Cli
from tests.clients.cli.fake_api import CUE, RUN, FakeApi, events, refusal
from tests.clients.cli.test_running import EVENT, PATH, RUN_ID
from tests.clients.cli.test_signing_in import ME

SECRET = "whsec_" + "ab" * 32
HOOK = "http://localhost:3000/hook"


def attempt(at: int, body: bytes, secret: str = SECRET) -> dict[str, Any]:
    headers = {
        "X-CueAPI-Signature": signature(secret, at, body),
        "X-CueAPI-Timestamp": str(at),
        "X-CueAPI-Scheduled-For": RUN["scheduled_for"],
        "X-CueAPI-Execution-Id": RUN_ID,
        "X-Own": "***",
    }
    return {"attempt": 1, "request_headers": headers, "ended_at": EVENT["at"]}


class Handler:
    """The handler on this machine; it verifies as a user's does."""

    def __init__(self, status: int = 200, text: str = '{"success": true, "result": "r"}') -> None:
        self.taken: list[httpx.Request] = []
        self._answer = (status, text)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.taken.append(request)
        headers = request.headers
        good = verify_webhook(
            request.content, headers["x-cueapi-signature"], SECRET, headers["x-cueapi-timestamp"]
        )
        status, text = self._answer if good else (401, "forged")
        return httpx.Response(status, text=text)


@pytest.fixture
def hook(api: FakeApi) -> Handler:
    handler = Handler()
    api.answers["POST /hook"] = handler
    api.answers["GET /v1/auth/webhook-secret"] = {"webhook_secret": SECRET}
    return handler


def test_a_copy_is_what_went_out() -> None:
    now = 1_774_702_800
    body = body_of(RUN, 1)
    copy, intact = copied(RUN, attempt(now - 10, body), SECRET, now)
    assert intact
    assert copy.body == body
    assert "X-Own" not in copy.headers
    assert body.startswith(b'{"attempt": 1, "cue_id": "cue_x7k9m2p4q8w1", "execution_id": ')


@pytest.mark.parametrize("old_or_other", ["old", "renamed", "other secret"])
def test_what_would_not_verify_any_more_is_signed_again(old_or_other: str) -> None:
    now = 1_774_702_800
    name = "before" if old_or_other == "renamed" else RUN["cue_name"]
    secret = "whsec_" + "00" * 32 if old_or_other == "other secret" else SECRET
    at = now - 400 if old_or_other == "old" else now
    went_out = attempt(at, body_of({**RUN, "cue_name": name}, 1), secret)
    copy, intact = copied(RUN, went_out, SECRET, now)
    assert not intact
    assert copy.headers["X-CueAPI-Signature"] == signature(SECRET, now, copy.body)


def test_listen_copies_deliveries_off_the_live_tail(cli: Cli, api: FakeApi, hook: Handler) -> None:
    api.answers["GET /v1/events/stream"] = events(EVENT)
    api.answers[f"GET {PATH}"] = RUN
    api.answers[f"GET /v1/cues/{RUN['cue_id']}"] = {
        **CUE,
        "callback": {"url": HOOK, "method": "PUT", "headers": {}},
    }
    api.answers["PUT /hook"] = hook
    went_out = attempt(int(time.time()), body_of(RUN, 1))
    api.answers[f"GET {PATH}/attempts"] = {"attempts": [went_out], "total": 1}
    told = cli.ok("listen", "--forward-to", HOOK, "-n", "1")
    assert f"Signed with {SECRET}" in told
    assert f"{RUN_ID}  200 in " in told
    assert hook.taken[0].content == body_of(RUN, 1)
    sent = went_out["request_headers"]["X-CueAPI-Signature"]
    assert hook.taken[0].headers["x-cueapi-signature"] == sent
    assert hook.taken[0].method == "PUT", "as the cue's callback"
    assert not any("outcome" in each for each in api.asked)


def test_listen_claims_work_and_reports_the_answer(cli: Cli, api: FakeApi, hook: Handler) -> None:
    held = {"claimed": True, "execution_id": RUN_ID, "attempt": 1, "lease_seconds": 300}
    nothing = refusal(409, "claim_failed", "nothing is due")
    api.answers["POST /v1/executions/claim"] = [nothing, httpx.Response(200, json=held)]
    api.answers[f"GET {PATH}"] = RUN
    api.answers[f"POST {PATH}/outcome"] = {"outcome_state": "reported_success"}
    told = cli.ok("listen", "--forward-to", HOOK, "--task", "brief", "-n", "1", "--json")
    assert json.loads(told.splitlines()[-1])["outcome"] == "reported_success"
    assert api.sent == {"success": True, "result": "r"}
    assert json.loads(hook.taken[0].content)["payload"] == {"task": "brief"}


def test_a_handler_that_is_away_is_a_failure_and_listening_goes_on(
    cli: Cli, api: FakeApi, hook: Handler
) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    held = {"claimed": True, "execution_id": RUN_ID, "attempt": 1, "lease_seconds": 300}
    api.answers |= {"POST /hook": away, "POST /v1/executions/claim": held, f"GET {PATH}": RUN}
    api.answers[f"POST {PATH}/outcome"] = refusal(409, "outcome_already_recorded", "the first one")
    told = cli.ok("listen", "--forward-to", HOOK, "--worker", "-n", "2")
    assert told.count("refused in ") == 2
    assert told.count("outcome: not recorded: the first one") == 2


@pytest.mark.parametrize(
    ("words", "count"),
    [((), 1), (("--bad-signature",), 1), (("--late",), 1), (("--twice",), 2)],
)
def test_trigger_tests_a_handler(
    cli: Cli, api: FakeApi, hook: Handler, words: tuple[str, ...], count: int
) -> None:
    told = cli.ok("trigger", "--url", HOOK, *words)
    assert told.endswith("Right.\n")
    assert len(hook.taken) == count
    assert len({each.content for each in hook.taken}) == 1


def test_trigger_finds_a_handler_that_believes_everything(
    cli: Cli, api: FakeApi, hook: Handler
) -> None:
    api.answers["POST /hook"] = {"anything": "goes"}
    for words in (("--bad-signature",), ("--late",)):
        result = cli("trigger", "--url", HOOK, *words)
        assert result.exit_code == 1
        assert "Wrong: the handler should refuse it with 4xx." in result.stdout
    api.answers["POST /hook"] = httpx.Response(500)
    assert cli("trigger", "--url", HOOK).exit_code == 1


def test_trigger_needs_no_server_with_a_secret(cli: Cli, api: FakeApi, hook: Handler) -> None:
    cli.ok("trigger", "--url", HOOK, "--secret", SECRET, "--payload", '{"x": 1}', key=False)
    assert json.loads(hook.taken[0].content)["payload"] == {"x": 1}
    assert api.asked == ["POST /hook"]


def test_both_signatures_are_those_of_the_contract() -> None:
    sent = signed(RUN, 2, SECRET, 1_774_702_800)
    assert verify_webhook(
        sent.body,
        sent.headers["X-CueAPI-Signature"],
        SECRET,
        sent.headers["X-CueAPI-Timestamp"],
        tolerance=10**9,
    )
    assert sent.headers["webhook-signature"].startswith("v1,")
    assert sent.headers["X-CueAPI-Attempt"] == "2"


def test_dev_where_the_server_is_not_installed(tmp_path: Any) -> None:
    with pytest.raises(Failure) as refused:
        server_command(8000, tmp_path, demo=True, module="no_server.local")
    assert "docker compose up" in str(refused.value.hint)


def test_dev(cli: Cli) -> None:
    told = cli.ok("dev", "--port", "8123", "--no-demo", "--dry-run")
    assert told.endswith("-m deploy.local --port 8123 --data-dir .cueapi --no-demo\n")


def test_mcp_serves_with_the_key_and_server_of_the_profile(cli: Cli) -> None:
    told = cli.ok("mcp", "--transport", "http", "--read-only", "--dry-run")
    assert told.endswith("-m cueapi_mcp --transport http --read-only\n")
    with pytest.raises(Failure, match="not installed") as failure:
        mcp.server_command("cueapi_mcp_that_is_not_there")
    assert "pip install cueapi-mcp" in str(failure.value.hint)
    session = Session(environment={"CUEAPI_API_KEY": "k", "CUEAPI_API_BASE": "http://h/v1"})
    added = mcp.environment(session)
    assert (added["CUEAPI_API_KEY"], added["CUEAPI_BASE_URL"]) == ("k", "http://h")


def test_an_interrupted_prompt_ends_as_interrupted() -> None:
    with pytest.raises(Abort) as raised:
        raise_as_a_prompt_does()
    assert exit_code(raised.value) == 130
    assert exit_code(Abort()) is None, "no was the answer"


def raise_as_a_prompt_does() -> None:
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        raise Abort from None


@pytest.fixture
def healthy(api: FakeApi) -> FakeApi:
    now = datetime.now(timezone.utc).isoformat()  # noqa: UP017
    health = {"status": "healthy", "version": "1.0.0", "timestamp": now, "services": {}}
    cue = {**CUE, "callback": {"url": "https://localhost/hook"}}
    api.answers |= {
        "GET /health": health,
        "GET /v1/auth/me": ME,
        "GET /v1/auth/webhook-secret": {"webhook_secret": SECRET},
        "GET /v1/cues": {"cues": [cue], "total": 1},
    }
    return api


def test_doctor(cli: Cli, healthy: FakeApi) -> None:
    told = cli.ok("doctor").splitlines()
    assert [line[:3] for line in told] == ["ok "] * 5


def test_doctor_finds_what_is_wrong(cli: Cli, healthy: FakeApi) -> None:
    healthy.answers["GET /health"]["timestamp"] = "2020-01-01T00:00:00Z"
    cue = {**CUE, "callback": {"url": "https://nowhere.invalid/hook"}}
    healthy.answers["GET /v1/cues"] = {"cues": [cue], "total": 1}
    healthy.answers["GET /v1/auth/me"] = refusal(401, "key_revoked", "not valid any more")
    result = cli("doctor", "--json")
    assert result.exit_code == 1
    checks = {each["name"]: each["good"] for each in json.loads(result.stdout)["checks"]}
    assert checks == {
        "server": True,
        "clock": False,
        "key": False,
        "signature": True,
        "callbacks": False,
    }

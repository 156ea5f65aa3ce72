"""The command line: what it does, what it says, how it exits."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cueapi import CueAPI
from cueapi_worker.__main__ import main
from cueapi_worker.signing_in import SignInFailed, sign_in
from typing_extensions import override

NOW = "2999-01-01T00:00:00Z"
ANSWERS: dict[str, Any] = {
    "POST /v1/worker/heartbeat": {"acknowledged": True, "server_time": NOW},
    "GET /health": {"status": "healthy", "version": "1.0.0", "timestamp": NOW},
    "GET /v1/auth/me": {"email": "me@example.com"},
    "GET /v1/workers": {"workers": [], "total": 0},
    "POST /v1/auth/key/regenerate": {"api_key": "cue_sk_new", "previous_key_revoked": True},
    "POST /v1/auth/device-code": {"device_code": "x", "verification_url": "u", "expires_in": 900},
    "POST /v1/auth/device-code/submit-email": {"status": "email_sent"},
}


class Api:
    """A server on loopback that answers from a table; what is not in it is refused."""

    def __init__(self) -> None:
        self.answers = dict(ANSWERS)
        self.bodies: dict[str, Any] = {}
        self.polls: list[dict[str, Any]] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                call = f"{self.command} {self.path}"
                length = int(self.headers.get("Content-Length") or 0)
                api.bodies[call] = json.loads(self.rfile.read(length) or b"null")
                answer = api.polls.pop(0) if call.endswith("/poll") else api.answers.get(call)
                refusal = {"error": {"code": "invalid_api_key", "message": "no", "status": 401}}
                body = json.dumps(answer or refusal).encode()
                self.send_response(200 if answer else 401)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _answer  # noqa: N815

            @override
            def log_message(self, format: str, *arguments: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    thread = Thread(target=api.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield api
    api.server.shutdown()
    api.server.server_close()
    thread.join()


@pytest.fixture
def path(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A configuration file that names a key."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CUEAPI_API_KEY", raising=False)
    path = tmp_path / "worker.yaml"
    path.write_text(
        f"api_key: cue_sk_old1234567\napi_base: {api.url}/v1\nworker_id: w1\n"
        "handlers: {sync: 'true'}\n"
    )
    level = logging.getLogger("httpx").level
    yield path
    logging.getLogger("httpx").setLevel(level)


def test_status_sends_one_heartbeat(
    api: Api, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "-c", str(path)]) == 0
    assert "w1 is known" in capsys.readouterr().out
    assert api.bodies["POST /v1/worker/heartbeat"] == {"worker_id": "w1", "handlers": ["sync"]}
    del api.answers["POST /v1/worker/heartbeat"]
    assert main(["status", "-c", str(path)]) == 1
    assert "did not take it" in capsys.readouterr().err


def test_doctor_looks_at_everything(
    api: Api, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "-c", str(path)]) == 0
    told = capsys.readouterr().out
    assert "✓ sync: true" in told
    assert "! the clock is" in told
    assert "✓ key cue_sk_old12... from the configuration file: me@example.com" in told
    assert "1234567" not in told
    del api.answers["GET /v1/auth/me"]
    assert main(["doctor", "-c", str(path)]) == 1
    assert "✗ the key from the configuration file is refused" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("handlers", "told"),
    [
        ("{a: no-such-program --x}", "! a: no-such-program was not found"),
        ("{a: {cmd: 'true', cwd: /no/such/folder}}", "✗ a: /no/such/folder is no folder"),
        ("{a: {cmd: 'true', unsafe_template: true}}", "! a: payloads can run commands"),
        ("{a: '$X | (y)'}", "✓ a: a shell line"),
    ],
)
def test_doctor_knows_what_ails_handlers(
    handlers: str, told: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_text(path.read_text().replace("{sync: 'true'}", handlers))
    main(["doctor", "-c", str(path)])
    assert told in capsys.readouterr().out


def test_a_regenerated_key_replaces_the_old_one(path: Path) -> None:
    assert main(["regenerate-key", "-c", str(path)]) == 0
    assert "api_key: cue_sk_new\n" in path.read_text()


def test_signing_in_waits_until_the_link_is_opened(api: Api) -> None:
    waits: list[float] = []
    said: list[str] = []
    api.polls = [
        {"status": "pending"},
        {"status": "email_sent"},
        {"status": "approved", "email": "me@example.com", "api_key": "cue_sk_mailed"},
    ]
    with CueAPI.without_key(base_url=api.url) as client:
        assert sign_in(client, "me@example.com", said.append, waits.append) == "cue_sk_mailed"
    assert waits == [5.0, 5.0, 5.0]
    code = api.bodies["POST /v1/auth/device-code"]["device_code"]
    assert code in said[0]
    assert api.bodies["POST /v1/auth/device-code/submit-email"] == {
        "device_code": code,
        "email": "me@example.com",
    }


@pytest.mark.parametrize(
    "poll", [{"status": "expired"}, {"status": "claimed"}, {"status": "approved"}]
)
def test_a_sign_in_without_a_key_is_said(api: Api, poll: dict[str, Any]) -> None:
    api.polls = [poll]
    with (
        CueAPI.without_key(base_url=api.url) as client,
        pytest.raises(SignInFailed, match=str(poll["status"])),
    ):
        sign_in(client, "me@example.com", lambda _: None, lambda _: None)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["start"], "say what to run"),
        (["start", "-c", "none.yaml"], "none.yaml does not exist"),
        (["start", "no.such.module:worker"], "cannot be loaded"),
        (["start", "json:dumps"], "no cueapi.worker.Worker"),
    ],
)
def test_what_can_not_be_started_is_said(
    arguments: list[str], told: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert told in capsys.readouterr().err


def test_the_service_is_shown_without_being_installed(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["install-service", "-c", str(path), "--print"]) == 0
    assert str(path) in capsys.readouterr().out

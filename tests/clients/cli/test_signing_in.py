"""Keys, profiles and servers: where they come from, and how one signs in."""

from __future__ import annotations

import json
import stat

import pytest

from tests.clients.cli.conftest import KEY, Cli
from tests.clients.cli.fake_api import FakeApi, refusal

ME = {
    "email": "you@example.com",
    "plan": "free",
    "active_cues": 1,
    "active_cue_limit": 10,
    "executions_this_month": 2,
    "monthly_execution_limit": 300,
}
CODE = {
    "device_code": "ABCD-EFGH",
    "verification_url": "http://s/auth/device?code=ABCD-EFGH",
    "expires_in": 10,
    "interval": 2,
}
APPROVED = {"status": "approved", "email": "you@example.com", "api_key": "cue_sk_new"}


def test_without_a_key_nothing_is_called(cli: Cli, api: FakeApi) -> None:
    result = cli("list", key=False)
    assert result.exit_code == 4
    assert result.stderr.startswith("Error: Not logged in.\nHint: Run `cueapi login`")
    assert api.requests == []


def test_whoami(cli: Cli, api: FakeApi) -> None:
    api.answers["GET /v1/auth/me"] = ME
    assert cli.ok("whoami").splitlines() == [
        "Email: you@example.com",
        "Plan: free",
        "Active cues: 1 of 10",
        "Executions this month: 2 of 300",
    ]


@pytest.fixture
def signing_in(api: FakeApi) -> FakeApi:
    api.answers["POST /v1/auth/device-code"] = CODE
    api.answers["POST /v1/auth/device-code/submit-email"] = {"status": "email_sent"}
    steps = [{"status": "pending"}, {"status": "email_sent"}, APPROVED]
    api.answers["POST /v1/auth/device-code/poll"] = steps
    return api


def test_login_opens_the_page_waits_and_saves_the_key(cli: Cli, signing_in: FakeApi) -> None:
    told = cli.ok("login", key=False)
    assert "Code: ABCD-EFGH" in told
    assert "Logged in as you@example.com." in told
    assert "cue_sk_new" not in told
    assert cli.pages == [CODE["verification_url"]]
    assert cli.waited == [2.0, 2.0]
    assert cli.saved == {
        "default": {
            "api_key": "cue_sk_new",
            "email": "you@example.com",
            "api_base": "https://api.cueapi.ai",
        }
    }
    assert stat.S_IMODE(cli.credentials.stat().st_mode) == 0o600
    assert not any("authorization" in request.headers for request in signing_in.requests)


def test_login_by_email_without_a_browser(cli: Cli, signing_in: FakeApi) -> None:
    cli.ok("login", "--email", "you@example.com", "--no-browser", key=False)
    assert cli.pages == []
    assert json.loads(signing_in.requests[1].content)["email"] == "you@example.com"


def test_login_of_an_account_whose_key_cannot_be_shown_makes_one(
    cli: Cli, signing_in: FakeApi
) -> None:
    approved = {"status": "approved", "email": "you@example.com", "session_token": "stk_1"}
    signing_in.answers["POST /v1/auth/device-code/poll"] = approved
    signing_in.answers["POST /v1/auth/session"] = {
        "session_token": "jwt",
        "email": "",
        "expires_at": "",
    }
    signing_in.answers["POST /v1/auth/keys"] = {"id": "k", "api_key": "cue_sk_minted"}
    cli.ok("login", key=False)
    assert cli.saved["default"]["api_key"] == "cue_sk_minted"
    assert signing_in.requests[-1].headers["authorization"] == "Bearer jwt"


def test_a_code_that_expires(cli: Cli, signing_in: FakeApi) -> None:
    signing_in.answers["POST /v1/auth/device-code/poll"] = {"status": "pending"}
    result = cli("login", key=False)
    assert result.exit_code == 4
    assert "expired" in result.stderr
    assert not cli.credentials.exists()


def test_login_with_a_token(cli: Cli, api: FakeApi) -> None:
    api.answers["GET /v1/auth/me"] = ME
    cli.ok(
        "--profile", "work", "--base-url", "http://s/v1/", "login", "--with-token", stdin=f"{KEY}\n"
    )
    assert cli.saved["work"] == {
        "api_key": KEY,
        "email": "you@example.com",
        "api_base": "http://s",
    }


def test_a_bad_token_is_not_saved(cli: Cli, api: FakeApi) -> None:
    api.answers["GET /v1/auth/me"] = refusal(401, "invalid_api_key", "no account has this key")
    assert cli("login", "--with-token", stdin="cue_sk_x\n").exit_code == 4
    assert cli("login", "--with-token", stdin="").exit_code == 2
    assert not cli.credentials.exists()


def test_which_key_and_server_come_first(cli: Cli, api: FakeApi) -> None:
    api.answers["GET /v1/auth/me"] = ME
    cli.credentials.parent.mkdir(parents=True)
    saved = {"api_key": "saved", "api_base": "http://saved/v1"}
    cli.credentials.write_text(json.dumps({"default": saved, "work": {"api_key": "work"}}))

    def used(*words: str, key: bool = False) -> tuple[str, str]:
        cli.ok(*words, "whoami", key=key)
        request = api.requests[-1]
        return request.headers["authorization"].removeprefix("Bearer "), str(request.url)

    assert used() == ("saved", "http://saved/v1/auth/me")
    assert used("--profile", "work") == ("work", "https://api.cueapi.ai/v1/auth/me")
    assert used(key=True)[0] == KEY
    assert used("--api-key", "given", key=True)[0] == "given"
    cli.environment["CUEAPI_BASE_URL"] = "http://base"
    assert used()[1] == "http://base/v1/auth/me"
    cli.environment["CUEAPI_API_BASE"] = "http://api-base/v1"
    assert used()[1] == "http://api-base/v1/auth/me"
    assert used("--base-url", "http://flag")[1] == "http://flag/v1/auth/me"
    cli.environment["CUEAPI_PROFILE"] = "work"
    assert used()[0] == "work"


def test_auth_status_tells_where_things_come_from(cli: Cli, api: FakeApi) -> None:
    api.answers["GET /v1/auth/me"] = ME
    told = cli.ok("auth", "status")
    assert "Server: https://api.cueapi.ai (the hosted service)" in told
    assert f"Key: {KEY[:12]}... (CUEAPI_API_KEY)" in told
    assert KEY not in told
    assert cli("auth", "status", key=False).exit_code == 4


def test_logout(cli: Cli, signing_in: FakeApi) -> None:
    cli.ok("login", key=False)
    assert cli.ok("logout") == "Logged out of profile default.\n"
    assert cli.saved == {}
    assert cli.ok("logout", "--all") == "Nothing is saved for every profile.\n"


def test_a_broken_credentials_file_is_told(cli: Cli) -> None:
    cli.credentials.parent.mkdir(parents=True)
    cli.credentials.write_text("{")
    result = cli("list", key=False)
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr


def test_a_regenerated_key_is_saved_and_not_shown_whole(cli: Cli, api: FakeApi) -> None:
    new = "cue_sk_" + "9" * 32
    api.answers["POST /v1/auth/key/regenerate"] = {"api_key": new, "previous_key_revoked": True}
    told = cli.ok("key", "regenerate", "--yes")
    assert told.startswith("New key: cue_sk_99999...")
    assert new not in told
    assert cli.saved["default"]["api_key"] == new
    assert api.requests[-1].headers["x-confirm-destructive"] == "true"
    assert new in cli.ok("key", "regenerate", "--yes", "--show")

"""Keys: where they are found, and where new ones are kept."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cueapi_worker.access import access_of, keep_key
from cueapi_worker.config import Config, config_of
from cueapi_worker.credentials import credentials_path, read_profile, save_profile
from cueapi_worker.errors import WorkerError


def settings(**fields: str) -> Config:
    return config_of({"handlers": {"sync": "true"}, **fields})


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path)}


def test_the_file_comes_before_the_environment_and_the_credentials(environ: dict[str, str]) -> None:
    profile = {"api_key": "cue_sk_saved", "api_base": "http://saved.test/v1"}
    save_profile(credentials_path(environ), profile)
    saved = access_of(settings(), environ)
    assert (saved.api_key, saved.origin) == ("cue_sk_saved", "http://saved.test")
    environ |= {"CUEAPI_API_KEY": "cue_sk_env", "CUEAPI_BASE_URL": "http://env.test/"}
    env = access_of(settings(), environ)
    assert (env.api_key, env.source, env.origin) == (
        "cue_sk_env",
        "CUEAPI_API_KEY",
        "http://env.test",
    )
    own = access_of(settings(api_key="cue_sk_own", api_base="http://own.test/v1"), environ)
    assert (own.api_key, own.origin) == ("cue_sk_own", "http://own.test")


def test_without_a_key_the_next_step_is_said(environ: dict[str, str]) -> None:
    access = access_of(settings(), environ)
    assert (access.api_key, access.origin) == (None, "https://api.cueapi.ai")
    with pytest.raises(WorkerError) as raised:
        access.key()
    assert "login" in raised.value.hint


def test_a_new_key_goes_into_a_file_that_names_one_and_keeps_its_comments(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    path = tmp_path / "worker.yaml"
    path.write_text('# mine\napi_key: "cue_sk_old"  # rotates\nhandlers: {sync: "true"}\n')
    assert keep_key(path, "cue_sk_new", None, environ) == path
    assert path.read_text() == (
        '# mine\napi_key: cue_sk_new  # rotates\nhandlers: {sync: "true"}\n'
    )
    assert not credentials_path(environ).exists()


def test_else_it_goes_where_the_cli_looks_and_other_profiles_stay(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    credentials = credentials_path(environ)
    save_profile(credentials, {"api_key": "cue_sk_other"}, "other")
    path = tmp_path / "worker.yaml"
    path.write_text('handlers: {sync: "true"}\n')
    assert keep_key(path, "cue_sk_new", "me@example.com", environ) == credentials
    assert json.loads(credentials.read_text()) == {
        "other": {"api_key": "cue_sk_other"},
        "default": {"api_key": "cue_sk_new", "email": "me@example.com"},
    }
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600


def test_broken_credentials_are_said(environ: dict[str, str]) -> None:
    credentials = credentials_path(environ)
    credentials.parent.mkdir(parents=True)
    credentials.write_text("{")
    with pytest.raises(WorkerError, match="cannot be read"):
        read_profile(credentials)

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from libs.runtime.settings import SecretSettings, Settings

KEY, OLD_KEY = (base64.b64encode(byte * 32).decode() for byte in (b"k", b"o"))
SECRET = "s" * 32
NAMES = (
    "DATABASE_URL",
    "NATS_URL",
    "ENV",
    "SESSION_SECRET",
    "CUEAPI_ENCRYPTION_KEY",
    "CUEAPI_SECRETS_DIR",
)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have a stack of their own in the environment."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/cueapi")
    monkeypatch.setenv("CUEAPI_HEALTH_PORT", "9300")
    settings = Settings()
    assert settings.database_url == "postgresql://db/cueapi"
    assert settings.health_port == 9300
    assert settings.env == "development"


def test_secrets_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "SESSION_SECRET").write_text(f"{SECRET}\n")
    (tmp_path / "DATABASE_URL").write_text("postgresql://file/cueapi")
    monkeypatch.setenv("CUEAPI_SECRETS_DIR", str(tmp_path))
    settings = SecretSettings()
    assert settings.session_secret == SECRET
    assert settings.database_url == "postgresql://file/cueapi"


def test_the_environment_goes_before_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "DATABASE_URL").write_text("postgresql://file/cueapi")
    monkeypatch.setenv("CUEAPI_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://environment/cueapi")
    assert Settings().database_url == "postgresql://environment/cueapi"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().env = "production"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENV", "staging"),
        ("CUEAPI_HEALTH_PORT", "ninety"),
        ("CUEAPI_LOG_FORMAT", "xml"),
        ("CUEAPI_LOG_LEVEL", "loud"),
        ("CUEAPI_DATABASE_POOL", "1"),
        ("CUEAPI_STOP_GRACE_SECONDS", "0"),
    ],
)
def test_what_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name):
        Settings()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "neither CUEAPI_ENCRYPTION_KEY nor SESSION_SECRET"),
        ({"session_secret": "s" * 31}, "shorter than 32"),
        ({"encryption_key": KEY, "session_secret": "short"}, "shorter than 32"),
        ({"encryption_key": "not base64!"}, "not base64"),
        ({"encryption_key": base64.b64encode(b"k" * 31).decode()}, "not 32 bytes"),
        ({"encryption_key": f"{KEY},bm90IGxvbmc="}, "not 32 bytes"),
        ({"encryption_key": ","}, "holds no key"),
        ({"env": "production", "session_secret": SECRET}, "production needs CUEAPI_ENCRYPTION_KEY"),
    ],
)
def test_unsafe_or_missing_secrets_are_refused_with_what_to_do(
    given: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        SecretSettings(**given)  # type: ignore[arg-type]


def test_a_complaint_does_not_tell_the_secret() -> None:
    with pytest.raises(ValidationError) as complaint:
        SecretSettings(session_secret="hunter2-hunter2")
    assert "hunter2" not in str(complaint.value)


def test_the_first_key_seals_and_every_key_opens() -> None:
    old = SecretSettings(encryption_key=OLD_KEY).keyring().seal("a", "p", b"secret")
    rotated = SecretSettings(encryption_key=f"{KEY},{OLD_KEY}").keyring()
    assert rotated.open("a", "p", old) == b"secret"
    new = rotated.seal("a", "p", b"secret")
    assert SecretSettings(encryption_key=KEY).keyring().open("a", "p", new) == b"secret"


def test_without_a_key_secrets_are_sealed_by_the_session_secret() -> None:
    sealed = SecretSettings(session_secret=SECRET).keyring().seal("a", "p", b"secret")
    assert SecretSettings(session_secret=SECRET).keyring().open("a", "p", sealed) == b"secret"


def test_what_the_derived_key_sealed_opens_after_a_key_is_given() -> None:
    sealed = SecretSettings(session_secret=SECRET).keyring().seal("a", "p", b"secret")
    given = SecretSettings(session_secret=SECRET, encryption_key=KEY).keyring()
    assert given.open("a", "p", sealed) == b"secret"
    anew = given.reseal("a", "p", sealed)
    assert SecretSettings(encryption_key=KEY).keyring().open("a", "p", anew) == b"secret"

"""docker-compose.yml says what the code understands; `make test-docker` shows that it runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from libs.events.bus import STOP_SECONDS
from libs.runtime.settings import Settings
from services.alerts.settings import AlertsSettings
from services.api.settings import ApiSettings
from services.dispatcher.settings import DispatcherSettings
from services.outcomes.settings import OutcomesSettings
from services.scheduler.settings import SchedulerSettings

ROOT = Path(__file__).parents[2]
SETTINGS: dict[str, type[Settings]] = {
    "api": ApiSettings,
    "scheduler": SchedulerSettings,
    "dispatcher": DispatcherSettings,
    "outcomes": OutcomesSettings,
    "alerts": AlertsSettings,
    "migrate": Settings,
    "provision": Settings,
}


def parts() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return found


def names_of(settings: type[Settings]) -> set[str]:
    return {str(field.alias) for field in settings.model_fields.values()}


def default_of(value: str) -> str:
    """What compose makes of `${NAME:-default}` when nothing is configured."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)


def test_each_process_is_told_what_some_process_understands() -> None:
    known = set().union(*(names_of(settings) for settings in SETTINGS.values()))
    for name in SETTINGS:
        assert parts()[name]["environment"].keys() <= known, name


@pytest.mark.parametrize("name", SETTINGS)
def test_each_process_starts_with_nothing_configured(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "SESSION_SECRET").write_text("s" * 64)
    (tmp_path / "CUEAPI_ENCRYPTION_KEY").write_text("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
    for key, value in parts()[name]["environment"].items():
        monkeypatch.setenv(key, default_of(value))
    monkeypatch.setenv("CUEAPI_SECRETS_DIR", str(tmp_path))
    settings = SETTINGS[name]()
    assert settings.env == "production"


@pytest.mark.parametrize(
    "name", [name for name in SETTINGS if name not in ("migrate", "provision")]
)
def test_a_container_may_stop_for_as_long_as_the_code_does(name: str) -> None:
    part = parts()[name]
    told = part["environment"].get("CUEAPI_STOP_GRACE_SECONDS")
    usual = Settings.model_fields["stop_grace_seconds"].default
    grace = float(default_of(told)) if told else usual
    assert float(part["stop_grace_period"].removesuffix("s")) >= grace + STOP_SECONDS + 5


def test_everything_is_hardened_and_pinned() -> None:
    for name, part in parts().items():
        assert part["read_only"] is True, name
        assert part["cap_drop"] == ["ALL"], name
        assert part["security_opt"] == ["no-new-privileges:true"], name
        assert re.search(r":(local|v?\d[\w.-]*)$", default_of(part["image"])), name


def test_only_this_machine_is_listened_to() -> None:
    published = [default_of(port) for part in parts().values() for port in part.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_what_the_files_name_is_there() -> None:
    for part in parts().values():
        for volume in part.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith("./") or (ROOT / source).exists(), source

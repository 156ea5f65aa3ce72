"""The service: its files, and what has it started and stopped."""

from __future__ import annotations

import plistlib
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from cueapi_worker.errors import WorkerError
from cueapi_worker.service import install, place_of, run_program, uninstall
from cueapi_worker.service_files import ServicePlan, environment_file, systemd_unit

from tests.clients.worker.jobs import config


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "CUEAPI_API_KEY": "cue_sk_1",
        "PATH": "/usr/bin",
        "SECRET": "else",
    }


def test_on_linux_it_is_a_user_unit_with_an_environment_file(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    ran: list[Sequence[str]] = []
    place = place_of("linux", tmp_path, environ)
    install(place, tmp_path / "worker.yaml", config(tmp_path), environ, ran.append)
    assert place.file == tmp_path / "config" / "systemd" / "user" / "cueapi-worker.service"
    unit = place.file.read_text()
    assert f'"start" "-c" "{tmp_path / "worker.yaml"}"' in unit
    assert f"EnvironmentFile=-{place.environment}" in unit
    assert "RestartSec=5" in unit
    assert "TimeoutStopSec=50" in unit
    assert place.environment.read_text().splitlines()[1:] == [
        'CUEAPI_API_KEY="cue_sk_1"',
        'PATH="/usr/bin"',
    ]
    assert stat.S_IMODE(place.environment.stat().st_mode) == 0o600
    assert ran == [
        ["systemctl", "--user", "daemon-reload"],
        ["systemctl", "--user", "enable", "--now", "cueapi-worker.service"],
    ]
    ran.clear()
    assert uninstall(place, ran.append)
    assert not place.file.exists()
    assert place.environment.exists()
    assert ran[0] == ["systemctl", "--user", "disable", "--now", "cueapi-worker.service"]
    assert not uninstall(place, ran.append)


def test_an_environment_file_of_the_users_stays(tmp_path: Path, environ: dict[str, str]) -> None:
    place = place_of("linux", tmp_path, environ)
    place.environment.parent.mkdir(parents=True)
    place.environment.write_text("CUEAPI_API_KEY=mine\n")
    install(place, tmp_path / "worker.yaml", config(tmp_path), environ, lambda _: None)
    assert place.environment.read_text() == "CUEAPI_API_KEY=mine\n"


def test_on_a_mac_it_is_a_launch_agent(tmp_path: Path, environ: dict[str, str]) -> None:
    ran: list[Sequence[str]] = []
    place = place_of("darwin", tmp_path, environ)
    install(place, tmp_path / "worker.yaml", config(tmp_path), environ, ran.append)
    assert place.file == tmp_path / "Library" / "LaunchAgents" / "ai.cueapi.worker.plist"
    agent = plistlib.loads(place.file.read_bytes())
    assert agent["Label"] == "ai.cueapi.worker"
    assert agent["ProgramArguments"][-2:] == ["-c", str(tmp_path / "worker.yaml")]
    assert agent["EnvironmentVariables"] == {"CUEAPI_API_KEY": "cue_sk_1", "PATH": "/usr/bin"}
    assert (agent["KeepAlive"], agent["RunAtLoad"]) == (True, True)
    assert ran == [["launchctl", "load", "-w", str(place.file)]]


def test_elsewhere_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="win32"):
        place_of("win32", tmp_path, {})


def test_strange_words_survive_in_a_unit() -> None:
    plan = ServicePlan(["/a b/python", "100%", "$HOME", 'a"b\\c'], Path("/e"), 1.0)
    assert r'ExecStart="/a b/python" "100%%" "$$HOME" "a\"b\\c"' in systemd_unit(plan)
    assert 'CUEAPI_A="x\\"y%$"' in environment_file({"CUEAPI_A": 'x"y%$'})


def test_a_program_that_fails_is_said() -> None:
    run_program(["true"])
    with pytest.raises(WorkerError, match="did not run"):
        run_program(["no-such-program"])
    with pytest.raises(WorkerError, match="boom"):
        run_program(["sh", "-c", "echo boom >&2; exit 3"])

"""The command, as a process of its own: what it says, and that it leaves nothing running."""

import signal
import socket
from pathlib import Path

import pytest

from deploy.local.__main__ import parse
from tests.deploy.command import SERVING, children_of, finish, read_until, start, until_gone

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGHUP])
async def test_a_signal_stops_everything(data_dir: Path, ending: signal.Signals) -> None:
    process = await start("--data-dir", str(data_dir), "--no-demo")
    said = await read_until(process, SERVING)
    assert "Starting Postgres" in said
    children = children_of(process)
    assert len(children) >= 7
    process.send_signal(ending)
    code, _ = await finish(process)
    assert code == 0
    await until_gone(children)


async def test_it_leaves_no_orphans_when_it_is_killed(data_dir: Path) -> None:
    process = await start("--data-dir", str(data_dir), "--no-demo")
    await read_until(process, SERVING)
    children = children_of(process)
    process.kill()
    await finish(process)
    await until_gone(children)

    again = await start("--data-dir", str(data_dir), "--no-demo")
    await read_until(again, SERVING)
    again.send_signal(signal.SIGINT)
    assert (await finish(again))[0] == 0


async def test_a_stop_while_it_starts_stops_everything(data_dir: Path) -> None:
    process = await start("--data-dir", str(data_dir), "--no-demo")
    await read_until(process, "Starting Postgres")
    children = children_of(process)
    assert children
    process.send_signal(signal.SIGINT)
    assert (await finish(process))[0] == 0
    await until_gone(children)


async def test_json_is_all_that_goes_out(data_dir: Path) -> None:
    process = await start("--data-dir", str(data_dir), "--no-demo", "--json")
    said = await read_until(process, '"event": "ready"')
    assert '"service": "postgres"' in said
    process.send_signal(signal.SIGTERM)
    assert (await finish(process))[0] == 0


async def test_a_taken_port_is_one_message_and_code_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await start("--data-dir", str(tmp_path), env={"PORT": str(port)})
        code, said = await finish(process)
    assert code == 1
    assert f"Port {port} is taken" in said
    assert "make run" in said
    assert "Traceback" not in said


async def test_a_broken_data_folder_is_one_message_and_code_1(data_dir: Path) -> None:
    (data_dir / "postgres" / "PG_VERSION").unlink()
    code, said = await finish(await start("--data-dir", str(data_dir)))
    assert code == 1
    assert "not a usable Postgres data folder" in said.replace("\n", " ")
    assert "Traceback" not in said


async def test_a_service_that_fails_is_one_message_and_code_1(data_dir: Path) -> None:
    process = await start("--data-dir", str(data_dir), env={"BROKEN": "api"})
    code, said = await finish(process)
    assert code == 1
    assert "SESSION_SECRET is too short" in said
    assert "what to do" in said
    assert "Traceback" not in said


def test_the_port_comes_from_the_environment_or_the_option(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORT", "8001")
    assert parse([]).port == 8001
    assert parse(["--port", "8002"]).port == 8002
    monkeypatch.delenv("PORT")
    assert parse([]).port == 8000

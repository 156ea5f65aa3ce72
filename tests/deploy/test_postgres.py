"""A real server, on folders in every state."""

import os
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from deploy.local.errors import StackError
from deploy.local.ports import free_port
from deploy.local.postgres import LocalPostgres
from deploy.local.postgres_folder import socket_folder
from tests.deploy.conftest import copy_folder

pytestmark = pytest.mark.integration


@pytest.fixture
async def server(postgres_folder: Path) -> AsyncIterator[LocalPostgres]:
    server = LocalPostgres(postgres_folder, fsync=False)
    yield server
    await server.stop()


async def ask(dsn: str, question: str) -> object:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        answer = await connection.execute(question)
        row = await answer.fetchone() if answer.description else None
        return row[0] if row else None


async def test_committed_rows_outlive_a_stop_and_a_kill(server: LocalPostgres) -> None:
    await server.start()
    await ask(server.dsn, "create table t as select 7 as n")
    await server.stop()
    assert not server.running

    await server.start()
    await ask(server.dsn, "update t set n = n + 1")
    await server.kill()

    await server.start()
    assert await ask(server.dsn, "select n from t") == 8


async def test_the_order_of_text_does_not_depend_on_the_machine(server: LocalPostgres) -> None:
    await server.start()
    assert await ask(server.dsn, "select array(select unnest(array['b','B','a']) order by 1)") == [
        "B",
        "a",
        "b",
    ]


async def test_nobody_gets_in_without_the_password(server: LocalPostgres) -> None:
    await server.start()
    wrong = server.dsn.replace(server.dsn.split(":")[2].split("@")[0], "guess")
    with pytest.raises(psycopg.OperationalError, match="password"):
        await ask(wrong, "select 1")


async def test_a_second_server_on_the_folder_is_refused(server: LocalPostgres) -> None:
    await server.start()
    with pytest.raises(StackError, match=f"process {server.pid}") as refused:
        await LocalPostgres(server.data_dir).start()
    assert "another folder" in refused.value.what_to_do
    assert await ask(server.dsn, "select 1") == 1


async def test_traces_of_a_dead_server_do_not_matter(server: LocalPostgres) -> None:
    stranger = os.getpid()
    (server.data_dir / "postmaster.pid").write_text(f"{stranger}\n{server.data_dir}\n0\n5432\n")
    (server.data_dir / ".s.PGSQL.5432.lock").write_text(f"{stranger}\n{server.data_dir}\n0\n5432\n")
    await server.start()
    assert await ask(server.dsn, "select 1") == 1


async def test_an_interrupted_first_start_leaves_no_half_made_folder(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgres.new"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18")
    server = LocalPostgres(tmp_path / "postgres", fsync=False)
    try:
        await server.start()
        assert await ask(server.dsn, "select 1") == 1
        assert not unfinished.exists()
    finally:
        await server.stop()


async def test_it_listens_on_tcp_where_asked(postgres_folder: Path) -> None:
    server = LocalPostgres(postgres_folder, port=free_port(), fsync=False)
    try:
        await server.start()
        password = server.dsn.split(":")[2].split("@")[0]
        tcp = f"postgresql://cueapi:{password}@127.0.0.1:{server.port}/cueapi"
        assert await ask(tcp, "select 1") == 1
    finally:
        await server.stop()


async def test_a_taken_port_is_named(postgres_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"Port {port} is taken"):
            await LocalPostgres(postgres_folder, port=port).start()


async def test_a_long_path_gets_its_socket_elsewhere(postgres_folder: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / "postgres"
    copy_folder(postgres_folder, deep)
    server = LocalPostgres(deep, fsync=False)
    try:
        await server.start()
        assert await ask(server.dsn, "select 1") == 1
        assert socket_folder(deep).stat().st_mode & 0o077 == 0
    finally:
        await server.stop()
        shutil.rmtree(socket_folder(deep))


async def test_a_folder_of_another_version_is_refused(server: LocalPostgres) -> None:
    (server.data_dir / "PG_VERSION").write_text("16\n")
    with pytest.raises(StackError, match="made by Postgres 16; this is 18"):
        await server.start()


async def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(StackError, match="holds files, but no database") as refused:
        await LocalPostgres(tmp_path).start()
    assert "mv" in refused.value.what_to_do
    assert (tmp_path / "holiday.jpg").exists()


async def test_a_broken_folder_is_refused(server: LocalPostgres) -> None:
    (server.data_dir / "global" / "pg_control").unlink()
    with pytest.raises(StackError, match="not a usable Postgres data folder") as refused:
        await server.start()
    assert "Move it away" in refused.value.what_to_do
    assert not server.running

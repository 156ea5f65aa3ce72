"""Postgres data folders, made once and copied."""

import subprocess
from pathlib import Path

import pytest

from deploy.local.postgres import LocalPostgres


@pytest.fixture(scope="session")
async def made_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder to copy from."""
    server = LocalPostgres(tmp_path_factory.mktemp("made") / "postgres", fsync=False)
    await server.start()
    await server.stop()
    return server.data_dir


@pytest.fixture
def postgres_folder(made_folder: Path, tmp_path: Path) -> Path:
    """A data folder that was used and stopped cleanly."""
    folder = tmp_path / "postgres"
    copy_folder(made_folder, folder)
    return folder


@pytest.fixture
def data_dir(postgres_folder: Path) -> Path:
    """The data folder of a stack that has run before."""
    return postgres_folder.parent


def copy_folder(source: Path, target: Path) -> None:
    # With `cp`, because Postgres minds whose the folder is, and shutil forgets it.
    target.parent.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", source, target], check=True)

"""`dev`: a whole server on this machine, where its code is installed."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from cueapi_cli.failures import Failure
from cueapi_cli.session import session_of

app = typer.Typer()

_HOW = (
    "In a checkout of the server: `uv sync && uv run cueapi dev`,"
    " or run it in containers: `docker compose up`."
)


@app.command()
def dev(
    ctx: typer.Context,
    port: Annotated[int, typer.Option("--port")] = 8000,
    data_dir: Annotated[Path, typer.Option("--data-dir")] = Path(".cueapi"),
    demo: Annotated[bool, typer.Option("--demo/--no-demo")] = True,
) -> None:
    """Start Postgres, NATS and every service here; Ctrl-C stops them, the data stays."""
    command = server_command(port, data_dir, demo=demo)
    if session_of(ctx).wishes.dry_run:
        typer.echo(" ".join(command))
        return
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - our own


def server_command(
    port: int, data_dir: Path, *, demo: bool, module: str = "deploy.local"
) -> list[str]:
    """Give the command that starts the server. Raises Failure where it is not installed."""
    if not _is_there(module):
        raise Failure("The server is not installed beside this command.", _HOW)
    options = ["--port", str(port), "--data-dir", str(data_dir)]
    return [sys.executable, "-m", module, *options, *([] if demo else ["--no-demo"])]


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False

"""`mcp`: the MCP server, where it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import typer

from cueapi_cli.failures import Failure
from cueapi_cli.session import Session, session_of

app = typer.Typer()

_HOW = "Run `pip install cueapi-mcp`, or use `uvx cueapi-mcp` without installing it."
_AS_GIVEN = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command(context_settings=_AS_GIVEN)
def mcp(ctx: typer.Context) -> None:
    """Serve the tools of agents; takes the options of `cueapi-mcp --help`."""
    session = session_of(ctx)
    command = [*server_command(), *ctx.args]
    if session.wishes.dry_run:
        typer.echo(" ".join(command))
        return
    ended = subprocess.run(command, check=False, env=environment(session))  # noqa: S603 - our own
    raise typer.Exit(ended.returncode)


def server_command(module: str = "cueapi_mcp") -> list[str]:
    """Give the command that starts the server. Raises Failure where it is not installed."""
    if find_spec(module) is None:
        raise Failure("cueapi-mcp is not installed beside this command.", _HOW)
    return [sys.executable, "-m", module]


def environment(session: Session) -> dict[str, str]:
    """Give the server's environment: this profile's key and server."""
    found = {"CUEAPI_BASE_URL": session.base.value}
    if session.key is not None:
        found["CUEAPI_API_KEY"] = session.key.value
    return {**os.environ, **found}

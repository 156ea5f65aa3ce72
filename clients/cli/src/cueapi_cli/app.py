"""The command line as one group whose commands are loaded when they are called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from cueapi_cli import __version__
from cueapi_cli.catalogue import COMMANDS, overview
from cueapi_cli.failures import exit_code, told
from cueapi_cli.output import Paint
from cueapi_cli.session import Session, Wishes

ANYWHERE_WITH_VALUE = frozenset({"--api-key", "--profile", "--base-url", "--jq"})
ANYWHERE = frozenset({"--json", "--quiet", "-q", "--no-color", "--dry-run"})


class Commands(TyperGroup):
    """Loads a command's module when the command is asked for, and tells failures."""

    @override
    def list_commands(self, ctx: Any) -> list[str]:
        """Name every command, in the order of the catalogue."""
        return [*COMMANDS]

    @override
    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load a command; None for one that there is not."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = import_module(f"cueapi_cli.commands.{entry.module}")
        return typer.main.get_group(module.app).commands[cmd_name]

    @override
    def get_help(self, ctx: Any) -> str:
        """Show the catalogue."""
        return overview()

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the options that may stand anywhere to the front."""
        return super().parse_args(ctx, hoisted(args))

    @override
    def invoke(self, ctx: Any) -> Any:
        """Run, and turn what is raised into a message and an exit code."""
        try:
            return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            code = exit_code(error)
            if code is None:
                raise
            for line in told(error, Paint.of(sys.stderr)):
                typer.echo(line, err=code != 0)
            raise typer.Exit(code) from error


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def hoisted(args: Sequence[str]) -> list[str]:
    """Put the options which may stand anywhere before the command; what is behind `--` stays."""
    front: list[str] = []
    rest: list[str] = []
    left = [*args]
    while left:
        word = left.pop(0)
        if word == "--":
            rest += [word, *left]
            break
        if word in ANYWHERE or word.partition("=")[0] in ANYWHERE_WITH_VALUE:
            front.append(word)
            if word in ANYWHERE_WITH_VALUE and left:
                front.append(left.pop(0))
        else:
            rest.append(word)
    return front + rest


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"cueapi {__version__}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    api_key: Annotated[str | None, typer.Option("--api-key")] = None,
    profile: Annotated[str | None, typer.Option("--profile", envvar="CUEAPI_PROFILE")] = None,
    base_url: Annotated[str | None, typer.Option("--base-url")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    jq: Annotated[str | None, typer.Option("--jq")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q")] = False,
    no_color: Annotated[bool, typer.Option("--no-color")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """Scheduling for agents."""
    session = ctx.obj if isinstance(ctx.obj, Session) else Session()
    wishes = Wishes(api_key=api_key, profile=profile, base_url=base_url, dry_run=dry_run)
    output = session.output.asked(as_json=as_json, jq=jq, quiet=quiet, no_color=no_color)
    ctx.obj = session.asked(wishes, output)
    ctx.call_on_close(ctx.obj.close)

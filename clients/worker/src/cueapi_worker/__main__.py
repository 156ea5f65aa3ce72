"""`cueapi-worker`: run handlers for the executions of worker cues."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cueapi_worker import __version__
from cueapi_worker.errors import WorkerError

_EPILOG = """\
exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted
environment: CUEAPI_API_KEY, CUEAPI_BASE_URL; what the file says comes first
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit code."""
    given = parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if given.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    if not given.verbose:
        logging.getLogger("httpx").setLevel(logging.WARNING)
    # Here, because `--help` need not wait for what the commands load.
    from cueapi_worker.actions import ACTIONS

    try:
        return ACTIONS[given.command](given, os.environ)
    except WorkerError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        if error.hint:
            print(f"Hint: {error.hint}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """Make what reads the command line."""
    parser = argparse.ArgumentParser(
        prog="cueapi-worker",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = _command(commands, "start", "work until told to stop", config=False)
    start.add_argument("app", nargs="?", metavar="MODULE:WORKER", help="a Worker in Python")
    _add_config(start, required=False)
    start.add_argument("--drain", metavar="SPAN", help="what handlers get to end, e.g. 30s")
    start.add_argument("--listen", metavar="HOST:PORT", help="serve /healthz there")
    start.add_argument("--metrics", action="store_true", help="serve /metrics there too")
    _command(commands, "status", "send one heartbeat, and say whether it was taken")
    _command(commands, "doctor", "look at everything that the worker needs")
    install = _command(commands, "install-service", "start it with the session, and keep it up")
    install.add_argument("--print", action="store_true", help="only show what would be written")
    _command(commands, "uninstall-service", "stop the service and remove it", config=False)
    _command(commands, "regenerate-key", "replace the API key, and keep the new one")
    login = _command(commands, "login", "get an API key by mail")
    login.add_argument("--email", required=True, help="where the link goes")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    *,
    config: bool = True,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.add_argument("-v", "--verbose", action="store_true", help="log everything")
    if config:
        _add_config(parser, required=True)
    return parser


def _add_config(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument("-c", "--config", type=Path, metavar="FILE", required=required)


if __name__ == "__main__":
    sys.exit(main())

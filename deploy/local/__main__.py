"""`python -m deploy.local`: start the whole system on this machine and show that it works."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.programs import CUEAPI, Programs
from deploy.local.session import Options, run
from deploy.local.terminal import Terminal


def main(arguments: Sequence[str] | None = None, programs: Programs = CUEAPI) -> int:
    """Run until Ctrl-C; return the exit code: 0 when stopped, 1 when something is in the way."""
    options = parse(arguments)
    terminal = Terminal(raw_logs=options.raw_logs)
    try:
        asyncio.run(run(options, terminal, programs))
    except asyncio.CancelledError:
        terminal.console.print(f"Stopped. The data stays in {options.data_dir}/.", soft_wrap=True)
    except StackError as error:
        terminal.show_error(error)
        return 1
    return 0


def parse(arguments: Sequence[str] | None) -> Options:
    """Read the command line; ends the process when it makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument(
        "--data-dir", type=Path, default=Path(".cueapi"), help="where everything is kept"
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=os.environ.get("PORT", "8000"),
        help="the API's port (default: $PORT, or 8000)",
    )
    parser.add_argument("--no-demo", action="store_true", help="only start, demonstrate nothing")
    parser.add_argument("--json", action="store_true", help="log lines as the processes write them")
    parser.add_argument(
        "--exit-after-demo", action="store_true", help="stop once the demo has been shown"
    )
    given = parser.parse_args(arguments)
    return Options(
        data_dir=given.data_dir,
        port=given.port,
        demo=not given.no_demo,
        raw_logs=given.json,
        exit_after_demo=given.exit_after_demo,
    )


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{port} is not a port")
    return port


if __name__ == "__main__":
    sys.exit(main())

"""`cueapi`. The first page of help is shown without loading anything else."""

from __future__ import annotations

import os
import sys

from cueapi_cli.catalogue import overview


def main() -> None:
    """Run the command line."""
    asked = sys.argv[1:]
    if asked in ([], ["--help"], ["-h"], ["help"]) and "_CUEAPI_COMPLETE" not in os.environ:
        sys.stdout.write(overview() + "\n")
        return
    from cueapi_cli.app import app

    app(prog_name="cueapi")


if __name__ == "__main__":
    main()

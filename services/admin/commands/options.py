"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one document a line.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="The most to show.")]
Who = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Its id, or its address.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

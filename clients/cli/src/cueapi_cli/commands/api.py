"""`api METHOD PATH`: whatever has no command yet."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cueapi_cli.failures import USAGE, Failure
from cueapi_cli.inputs import json_of
from cueapi_cli.session import session_of

app = typer.Typer()


@app.command()
def api(
    ctx: typer.Context,
    method: Annotated[str, typer.Argument(metavar="METHOD")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="/v1/cues, or cues")],
    body: Annotated[str | None, typer.Option("--body", "-d", help="JSON, @file, -")] = None,
    header: Annotated[list[str] | None, typer.Option("--header", "-H")] = None,
) -> None:
    """Call any path of the API with the key of this profile, and print the answer."""
    session = session_of(ctx)
    headers = dict(_header(each) for each in header or ())
    rooted = path if path.startswith("/") else f"/v1/{path}"
    told = session.client.request(
        method.upper(), rooted, json=json_of("--body", body), headers=headers
    )
    session.output.show(told, *([] if told is None else [json.dumps(told, indent=2)]))


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise Failure(f"--header {text}: write it as Name: value", code=USAGE)
    return name.strip(), value.strip()

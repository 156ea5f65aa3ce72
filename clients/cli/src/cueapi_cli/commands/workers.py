"""`workers …`."""

from __future__ import annotations

from typing import Annotated

import typer

from cueapi_cli.commands.deleting import confirmed
from cueapi_cli.commands.fields import Yes
from cueapi_cli.session import Session, session_of

app = typer.Typer()
workers = typer.Typer(help="List or forget workers.", no_args_is_help=True)
app.add_typer(workers, name="workers")

WATCH_SECONDS = 2.0


@workers.command("list")
def list_workers(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", help="again every two seconds")] = False,
) -> None:
    """List workers, the latest heard of first."""
    session = session_of(ctx)
    _show(session)
    while watch:
        session.wait(WATCH_SECONDS)
        typer.echo()
        _show(session)


@workers.command()
def delete(
    ctx: typer.Context,
    worker_id: Annotated[str, typer.Argument(metavar="WORKER")],
    yes: Yes = False,
) -> None:
    """Forget a worker; what it holds is its own until the lease ends."""
    session = session_of(ctx)
    if not yes:
        confirmed(session, f"Forget the worker {worker_id}?")
    session.client.workers.delete(worker_id)
    session.output.show({"id": worker_id, "deleted": True}, session.output.good("Deleted."))


def _show(session: Session) -> None:
    told = session.client.workers.list().to_dict()
    session.output.table(
        told,
        told["workers"],
        {
            "worker": lambda each: each["worker_id"],
            "status": lambda each: each["heartbeat_status"],
            "heard of": lambda each: f"{each['seconds_since_heartbeat']} s ago",
            "handlers": lambda each: ",".join(each["handlers"] or []),
        },
        id_of="worker_id",
        empty="No workers. Start one: cueapi-worker start -c worker.yaml",
    )

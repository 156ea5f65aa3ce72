"""`alerts …`."""

from __future__ import annotations

from typing import Annotated

import typer

from cueapi_cli.commands.fields import Limit, OfCue, Offset
from cueapi_cli.session import session_of

app = typer.Typer()
alerts = typer.Typer(help="List and acknowledge alerts.", no_args_is_help=True)
app.add_typer(alerts, name="alerts")


@alerts.command("list")
def list_alerts(
    ctx: typer.Context,
    kind: Annotated[str | None, typer.Option("--type")] = None,
    cue_id: OfCue = None,
    everything: Annotated[bool, typer.Option("--all", help="acknowledged ones too")] = False,
    limit: Limit = 20,
    offset: Offset = 0,
) -> None:
    """List the alerts that nobody has acknowledged, newest first."""
    session = session_of(ctx)
    wanted = {
        "alert_type": kind,
        "cue_id": cue_id,
        "acknowledged": None if everything else False,
        "limit": limit,
        "offset": offset,
    }
    page = session.client.request("GET", "/v1/alerts", params=wanted)
    session.output.table(
        page,
        page["alerts"],
        {
            "id": lambda each: each["id"],
            "type": lambda each: each["alert_type"],
            "cue": lambda each: each["cue_name"],
            "created": lambda each: each["created_at"],
            "message": lambda each: each["message"],
        },
        empty="No alerts.",
        foot=f"{len(page['alerts'])} of {page['total']}",
    )


@alerts.command("ack")
@alerts.command("acknowledge", hidden=True)
def acknowledge(
    ctx: typer.Context, alert_ids: Annotated[list[str], typer.Argument(metavar="ALERT...")]
) -> None:
    """Acknowledge alerts."""
    session = session_of(ctx)
    for alert_id in alert_ids:
        alert = session.client.alerts.acknowledge(alert_id).to_dict()
        session.output.show(alert, session.output.good(f"Acknowledged: {alert_id}"))

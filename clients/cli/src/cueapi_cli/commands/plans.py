"""`usage`, `upgrade`, `manage` and `open`."""

from __future__ import annotations

from typing import Annotated

import typer

from cueapi_cli.failures import Failure
from cueapi_cli.session import Session, session_of

app = typer.Typer()

BAR = 20


@app.command()
def usage(ctx: typer.Context) -> None:
    """Show what of the plan is used this month."""
    session = session_of(ctx)
    told = session.client.usage.get().to_dict()
    plan = told["plan"]["name"] if isinstance(told["plan"], dict) else told["plan"]
    lines = [f"Plan: {session.output.bold(plan)}"]
    for label, used, limit in (
        ("Active cues", told["cues"]["active"], told["cues"]["limit"]),
        ("Executions", told["executions"]["used"], told["executions"]["limit"]),
    ):
        lines.append(f"{label + ':':<13}{_bar(used, limit)} {used} of {limit}")
    lines.append(f"Requests:    {told['rate_limit']['limit']} a minute")
    if told["executions"].get("will_exceed_limit"):
        lines.append("At this pace the month's executions will not last: cueapi upgrade")
    session.output.show(told, *lines, id_of="plan")


@app.command()
def upgrade(
    ctx: typer.Context,
    plan: Annotated[str, typer.Option("--plan", prompt="Plan (pro, scale)")],
    interval: Annotated[
        str, typer.Option("--interval", prompt="Interval (monthly, annual)")
    ] = "monthly",
) -> None:
    """Choose another plan; the checkout opens in the browser."""
    session = session_of(ctx)
    told = session.client.billing.checkout(plan, interval=interval).to_dict()
    _opened(session, told, "checkout_url")


@app.command()
def manage(ctx: typer.Context) -> None:
    """Open the billing portal."""
    session = session_of(ctx)
    _opened(session, session.client.billing.portal().to_dict(), "portal_url")


@app.command("open")
def open_dashboard(ctx: typer.Context) -> None:
    """Open the dashboard in the browser."""
    session = session_of(ctx)
    url = session.client.usage.get().get("upgrade_url") or ""
    dashboard = url.removesuffix("/billing")
    if not dashboard:
        hint = f"The API's own pages: {session.base.value}/docs"
        raise Failure("This server has no dashboard (DASHBOARD_URL is not set).", hint)
    _opened(session, {"url": dashboard}, "url")


def _opened(session: Session, told: dict[str, str], name: str) -> None:
    url = told[name]
    if not session.output.for_scripts and session.output.terminal:
        session.open_page(url)
    session.output.show(told, url, id_of=name)


def _bar(used: int, limit: int) -> str:
    full = min(BAR, round(BAR * used / limit)) if limit else 0
    return "[" + "#" * full + "." * (BAR - full) + "]"

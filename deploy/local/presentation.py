"""How the demo looks: pure functions from what was seen to what is printed."""

import json
from datetime import datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.local.account import Account
from deploy.local.demo import Demonstration
from deploy.local.receiver import Delivery

_SHOWN_HEADERS = ("x-cueapi-", "webhook-", "content-type", "user-agent", "traceparent")


def delivery_panel(seen: Demonstration) -> RenderableType:
    """Return the signed request as the receiver got it, and how late it was."""
    delivery = seen.delivery
    headers = Table.grid(padding=(0, 2))
    for name, value in delivery.headers.items():
        if name.lower().startswith(_SHOWN_HEADERS):
            headers.add_row(Text(name, style="cyan"), Text(value, overflow="fold"))
    late = seen.lateness.total_seconds() * 1000
    verdict = Text.assemble(
        ("signature verified", "bold green")
        if delivery.verified
        else ("signature NOT verified", "bold red"),
        f", {late:.0f} ms after it was due",
    )
    return Panel(
        Group(headers, Text(), Text(_body(delivery)), Text(), verdict),
        title="The delivery, as the receiver got it",
        title_align="left",
    )


def timeline_table(seen: Demonstration) -> RenderableType:
    """Return the execution's events, timed from when it was due."""
    due = datetime.fromisoformat(seen.execution["scheduled_for"])
    table = Table(title=f"Timeline of execution {seen.execution['id']}", title_justify="left")
    table.add_column("after due", justify="right")
    table.add_column("event", style="cyan")
    table.add_column("what happened")
    for event in seen.timeline:
        after = (datetime.fromisoformat(event["at"]) - due).total_seconds() * 1000
        table.add_row(f"{after:.0f} ms", Text(event["type"]), Text(event["summary"]))
    return table


def addresses(base_url: str, receiver_url: str, mail_url: str, account: Account) -> RenderableType:
    """Return where things are, and the key to them."""
    table = Table.grid(padding=(0, 2))
    table.add_row("API", Text(base_url))
    table.add_row("Dashboard", Text(f"{base_url}/dashboard"))
    table.add_row("OpenAPI", Text(f"{base_url}/openapi.json"))
    table.add_row("Demo receiver", Text(receiver_url))
    table.add_row("Mail", Text(mail_url))
    table.add_row("Account", Text(account.email))
    table.add_row("API key", Text(account.api_key, style="bold"))
    return table


def curl_commands(base_url: str, receiver_url: str, account: Account, seen: Demonstration) -> str:
    """Return three commands for a POSIX shell that work as pasted, in any order.

    The second fires the cue that the first made, or else the demo's.
    """
    key = f"-H 'Authorization: Bearer {account.api_key}'"
    cue = {
        "name": seen.cue["name"].replace("demo", "every minute"),
        "schedule": {"type": "recurring", "cron": "* * * * *"},
        "callback": {"url": receiver_url},
        "payload": {"task": "say_hello"},
    }
    find_id = "tee /dev/stderr | grep -o 'cue_[a-z0-9]\\{12\\}' | head -1"
    return f"""\
# Make a cue that calls the receiver every minute
CUE_ID=$(curl -sS {base_url}/v1/cues {key} \\
  -d '{json.dumps(cue)}' | {find_id})

# Fire it now
curl -sS -X POST "{base_url}/v1/cues/${{CUE_ID:-{seen.cue["id"]}}}/fire" {key}

# List what was executed
curl -sS '{base_url}/v1/executions?limit=5' {key}
"""


def _body(delivery: Delivery) -> str:
    """Return the body indented if it is JSON, else as it came."""
    try:
        return json.dumps(json.loads(delivery.body), indent=2)
    except ValueError:
        return delivery.body

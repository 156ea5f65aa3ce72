"""`whoami` and `auth status`."""

from __future__ import annotations

import typer

from cueapi_cli.failures import NotSignedIn
from cueapi_cli.session import session_of

app = typer.Typer()
auth = typer.Typer(help="Show where key and server come from.", no_args_is_help=True)
app.add_typer(auth, name="auth")

PREFIX = 12


@app.command()
def whoami(ctx: typer.Context) -> None:
    """Show the account."""
    session = session_of(ctx)
    me = session.client.account.me().to_dict()
    session.output.show(
        me,
        f"Email: {me['email']}",
        f"Plan: {me['plan']}",
        f"Active cues: {me['active_cues']} of {me['active_cue_limit']}",
        f"Executions this month: {me['executions_this_month']} of {me['monthly_execution_limit']}",
    )


@auth.command()
def status(ctx: typer.Context) -> None:
    """Show which key and server are used, where they come from, and whether the key is good."""
    session = session_of(ctx)
    key, base = session.key, session.base
    if key is None:
        session.output.note(f"Server: {base.value} ({base.source})")
        raise NotSignedIn
    me = session.client.account.me().to_dict()
    told = {
        "server": base.value,
        "server_from": base.source,
        "key_prefix": key.value[:PREFIX],
        "key_from": key.source,
        "email": me["email"],
        "profile": session.profile_name,
    }
    session.output.show(
        told,
        f"Server: {base.value} ({base.source})",
        f"Key: {key.value[:PREFIX]}... ({key.source})",
        session.output.good(f"Logged in as {me['email']}."),
        id_of="email",
    )

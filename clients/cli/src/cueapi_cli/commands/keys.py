"""`key …` (the one in use, and the webhook secret) and `keys …` (all of them)."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cueapi_cli.commands.deleting import confirmed
from cueapi_cli.commands.fields import Yes
from cueapi_cli.session import Session, session_of

app = typer.Typer()
key = typer.Typer(help="Replace the key or the webhook secret.", no_args_is_help=True)
secret = typer.Typer(help="The secret that signs deliveries.", no_args_is_help=True)
keys = typer.Typer(help="List, make, rename and revoke keys.", no_args_is_help=True)
key.add_typer(secret, name="webhook-secret")
app.add_typer(key, name="key")
app.add_typer(keys, name="keys")

KeyId = Annotated[str, typer.Argument(metavar="KEY", help="a key's id")]
SHOWN = 12


@key.command()
def regenerate(
    ctx: typer.Context,
    yes: Yes = False,
    show: Annotated[bool, typer.Option("--show", help="the whole key")] = False,
) -> None:
    """Replace the key in use; the old one stops at once, the new one is saved."""
    session = session_of(ctx)
    if not yes:
        confirmed(session, "Replace the key? Whoever uses the old one is locked out at once.")
    new = session.client.keys.regenerate().to_dict()
    _save(session, new["api_key"])
    shown = new["api_key"] if show else f"{new['api_key'][:SHOWN]}..."
    saved = f"Saved to the profile {session.profile_name}."
    session.output.show(new, session.output.good(f"New key: {shown}"), saved, id_of="api_key")


@secret.command("get")
def get_secret(ctx: typer.Context) -> None:
    """Show the webhook secret."""
    session = session_of(ctx)
    told = session.client.webhook_secret.get().to_dict()
    session.output.show(told, told["webhook_secret"], id_of="webhook_secret")


@secret.command("regenerate")
def regenerate_secret(
    ctx: typer.Context,
    yes: Yes = False,
    overlap: Annotated[
        int | None, typer.Option("--overlap-hours", help="the old one signs too for so long")
    ] = None,
) -> None:
    """Replace the webhook secret."""
    session = session_of(ctx)
    if not yes:
        confirmed(session, "Replace the webhook secret?")
    told = session.client.webhook_secret.regenerate(overlap_hours=overlap).to_dict()
    line = session.output.good(f"New secret: {told['webhook_secret']}")
    session.output.show(told, line, id_of="webhook_secret")


@keys.command("list")
def list_keys(ctx: typer.Context) -> None:
    """List keys, newest first; only their beginnings are known."""
    session = session_of(ctx)
    told = session.client.keys.list().to_dict()
    session.output.table(
        told,
        told["keys"],
        {
            "id": lambda each: each["id"],
            "prefix": lambda each: each["prefix"],
            "label": lambda each: each["label"],
            "status": lambda each: each["status"],
            "last used": lambda each: each["last_used_at"],
        },
    )


@keys.command("create")
def create_key(ctx: typer.Context, label: Annotated[str, typer.Argument(metavar="LABEL")]) -> None:
    """Make a key. It is shown this once."""
    session = session_of(ctx)
    made = session.client.keys.create(label).to_dict()
    line = session.output.good(f"Created: {made['id']}")
    session.output.show(made, line, f"Key, shown this once: {made['api_key']}", id_of="api_key")


@keys.command("rename")
def rename_key(
    ctx: typer.Context, key_id: KeyId, label: Annotated[str, typer.Argument(metavar="LABEL")]
) -> None:
    """Give a key another label."""
    session = session_of(ctx)
    told = session.client.keys.rename(key_id, label).to_dict()
    session.output.show(told, session.output.good(f"Renamed: {key_id} ({told['label']})"))


@keys.command("revoke")
def revoke_key(ctx: typer.Context, key_id: KeyId, yes: Yes = False) -> None:
    """End a key at once and for good."""
    session = session_of(ctx)
    if not yes:
        confirmed(session, f"Revoke the key {key_id}? It cannot be undone.")
    told = session.client.keys.revoke(key_id).to_dict()
    session.output.show(told, session.output.good(f"Revoked: {key_id}"))


def _save(session: Session, api_key: str) -> None:
    profile: dict[str, Any] = {"api_base": session.base.value, **session.profile}
    session.profiles.save(session.profile_name, {**profile, "api_key": api_key})

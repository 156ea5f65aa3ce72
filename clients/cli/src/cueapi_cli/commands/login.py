"""`login` and `logout`."""

from __future__ import annotations

import secrets
import string
import sys
from typing import Annotated, Any

import typer

from cueapi_cli.failures import NOT_SIGNED_IN, USAGE, Failure
from cueapi_cli.session import Session, session_of

app = typer.Typer()

_LETTERS = string.ascii_uppercase + string.digits
_ENDS = frozenset({"expired", "claimed"})


@app.command()
def login(
    ctx: typer.Context,
    email: Annotated[str | None, typer.Option("--email", help="have the link mailed here")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser")] = True,
    with_token: Annotated[
        bool, typer.Option("--with-token", help="read a key from standard input")
    ] = False,
) -> None:
    """Sign in by mail; or, with --with-token, with a key that you have."""
    session = session_of(ctx)
    if with_token:
        key = sys.stdin.read().strip()
        if not key:
            raise Failure("No key came on standard input.", "echo $KEY | cueapi login ...", USAGE)
        _saved(session, key, session.client_of(key).account.me().email)
        return
    begun = session.stranger.device_codes.create(device_code()).to_dict()
    out = session.output
    if email is not None:
        session.stranger.device_codes.submit_email(begun["device_code"], email)
        out.note(f"A mail is on its way to {email}. Compare the code: {begun['device_code']}")
    else:
        out.note(f"Code: {out.bold(begun['device_code'])}")
        out.note(f"Open {begun['verification_url']}")
        if browser:
            session.open_page(begun["verification_url"])
    with out.busy("Waiting for you to confirm"):
        approved = _approved(session, begun)
    _saved(session, approved["api_key"], approved["email"])


@app.command()
def logout(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="every profile")] = False,
) -> None:
    """Forget the saved key of this profile. The key itself stays good: see `keys revoke`."""
    session = session_of(ctx)
    name = None if everything else session.profile_name
    gone = session.profiles.forget(name)
    what = "every profile" if everything else f"profile {name}"
    line = f"Logged out of {what}." if gone else f"Nothing is saved for {what}."
    session.output.show({"logged_out": gone}, line)


def device_code() -> str:
    """A code that people can compare: `ABCD-EFGH`."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def _approved(session: Session, begun: dict[str, Any]) -> dict[str, Any]:
    interval = float(begun.get("interval") or 2)
    for _ in range(int(begun["expires_in"] / interval)):
        told = session.stranger.device_codes.poll(begun["device_code"]).to_dict()
        if told["status"] == "approved":
            return _with_key(session, told)
        if told["status"] in _ENDS:
            break
        session.wait(interval)
    raise Failure("The code has expired.", "Run `cueapi login` again.", NOT_SIGNED_IN)


def _with_key(session: Session, told: dict[str, Any]) -> dict[str, Any]:
    if told.get("api_key"):
        return told
    # The default key cannot be shown again by this server: a new one is made in a session.
    opened = session.stranger.sessions.create(told["session_token"])
    made = session.client_of(opened.session_token).keys.create("cueapi login")
    return {**told, "api_key": made.api_key}


def _saved(session: Session, key: str, email: str) -> None:
    saved = {"api_key": key, "email": email, "api_base": session.base.value}
    session.profiles.save(session.profile_name, saved)
    told = {"email": email, "profile": session.profile_name, "file": str(session.profiles.path)}
    line = session.output.good(f"Logged in as {email}.")
    session.output.show(told, line, f"Saved in {session.profiles.path}", id_of="email")

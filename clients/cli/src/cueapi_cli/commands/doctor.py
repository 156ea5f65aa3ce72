"""`doctor`: what may be wrong between this machine, the server and the callbacks."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import NamedTuple
from urllib.parse import urlsplit

import typer

from cueapi_cli.failures import FAILED
from cueapi_cli.session import Session, session_of
from cueapi_cli.signing import TOLERANCE_SECONDS, signed

app = typer.Typer()

SKEW_SECONDS = 30


class Finding(NamedTuple):
    """What one check has found."""

    name: str
    good: bool
    words: str


@app.command()
def doctor(ctx: typer.Context) -> None:
    """Check server, clock, key, signatures and the callbacks' names; exit 1 if one is bad."""
    session = session_of(ctx)
    findings = [_safely(name, check, session) for name, check in CHECKS.items()]
    out = session.output
    told = {"good": all(f.good for f in findings), "checks": [f._asdict() for f in findings]}
    lines = [
        f"{out.good('ok ') if f.good else out.bad('BAD')} {f.name:<10} {f.words}" for f in findings
    ]
    out.show(told, *lines, id_of="good")
    if not told["good"]:
        raise typer.Exit(FAILED)


def _safely(name: str, check: Callable[[Session], Iterator[str]], session: Session) -> Finding:
    from cueapi import CueAPIError

    try:
        return Finding(name, True, "; ".join(check(session)))
    except (CueAPIError, _Bad) as error:
        return Finding(name, False, str(error))


class _Bad(Exception):
    pass


def _server(session: Session) -> Iterator[str]:
    health = session.stranger.request("GET", "/health")
    if health["status"] != "healthy":
        raise _Bad(f"{session.base.value} says {health['status']}: {health['services']}")
    yield f"{session.base.value} ({session.base.source}), version {health['version']}"


def _clock(session: Session) -> Iterator[str]:
    health = session.stranger.request("GET", "/health")
    told = datetime.fromisoformat(health["timestamp"].replace("Z", "+00:00"))
    skew = abs((datetime.now(timezone.utc) - told).total_seconds())
    if skew > SKEW_SECONDS:
        raise _Bad(
            f"this clock is {skew:.0f} s off; signatures are refused from {TOLERANCE_SECONDS} s"
        )
    yield f"{skew:.1f} s off"


def _key(session: Session) -> Iterator[str]:
    if session.key is None:
        raise _Bad("there is none: run `cueapi login`")
    yield f"{session.client.account.me().email} ({session.key.source})"


def _signature(session: Session) -> Iterator[str]:
    if session.key is None:
        raise _Bad("needs a key")
    from cueapi.webhooks import verify_webhook

    secret = session.client.webhook_secret.get().webhook_secret
    sample = {"id": "x", "cue_id": "x", "cue_name": "x", "payload": {}, "scheduled_for": "x"}
    sent = signed(sample, 1, secret, int(time.time()))
    headers = sent.headers
    if not verify_webhook(
        sent.body, headers["X-CueAPI-Signature"], secret, headers["X-CueAPI-Timestamp"]
    ):
        raise _Bad("a delivery signed here does not verify here")
    yield "signed and verified"


def _callbacks(session: Session) -> Iterator[str]:
    if session.key is None:
        raise _Bad("needs a key")
    page = session.client.cues.list(limit=100).to_dict()
    urls = {each["callback"]["url"] for each in page["cues"] if each["callback"].get("url")}
    hosts = sorted({urlsplit(url).hostname or "" for url in urls})
    unknown = [host for host in hosts if not _resolves(host)]
    if unknown:
        raise _Bad(f"these names lead nowhere: {', '.join(unknown)}")
    yield f"{len(hosts)} names resolve"


def _resolves(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, 443))
    except OSError:
        return False


CHECKS: dict[str, Callable[[Session], Iterator[str]]] = {
    "server": _server,
    "clock": _clock,
    "key": _key,
    "signature": _signature,
    "callbacks": _callbacks,
}

"""The mails that tell of trouble. Pure.

What a user chose is kept on one line, so that it can't pass for something else in the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from libs.runtime.mail.letters import Content, Item, Letter, write
from services.alerts.rules.links import Links

LISTED = 50
"""How many of the things held back a digest names; the others it counts."""


_FOOTER = "Mail about failures and alerts is switched off by email_notifications of your account."


def letter(to: str, key: str, content: Mapping[str, Any], links: Links) -> Letter:
    """Write the mail about one thing; `key` names it."""
    label = {
        "worker.offline": "See the workers",
        "grace.started": "See the plans",
    }.get(content["event"], "See the execution" if content.get("execution_id") else "See the cue")
    link = _link(content, links)
    return _letter(to, key, headline(content), link, label, lines=_lines(content))


def digest(to: str, key: str, held: Sequence[Mapping[str, Any]], links: Links) -> Letter:
    """Write the mail about all that was held back, oldest first."""
    items = tuple(Item(headline(one), _link(one, links)) for one in held[:LISTED])
    things = "failure or alert" if len(held) == 1 else "failures and alerts"
    title = f"{len(held)} more {things} in the last hour"
    link = _link(held[-1], links)
    return _letter(to, key, title, link, "See the latest", items=items, more=len(held) - len(items))


def headline(content: Mapping[str, Any]) -> str:
    """Say in one line what happened."""
    match content["event"]:
        case "cue.failed":
            return _one_line(f"{content['cue_name']} failed")
        case "worker.offline":
            return _one_line(f"worker {content['worker_id']} is offline")
        case "grace.started":
            return f"the {content['plan']} plan's executions of this month are used up"
        case _:
            return _one_line(content["message"])


def _lines(content: Mapping[str, Any]) -> list[tuple[str, Any]]:
    match content["event"]:
        case "worker.offline":
            return [("Worker", content["worker_id"]), ("Last seen", content["last_heartbeat_at"])]
        case "grace.started":
            until = f"Executions go on until {content['grace_ends_at']}, then they are refused."
            return [("Plan", content["plan"]), ("Limit", content["limit"]), ("What now", until)]
        case "cue.failed":
            told = ("failed_at", "attempts", "last_http_status", "last_error")
            return [*_about(content), *((_words(name), content[name] or "none") for name in told)]
        case _:
            raised = [("Alert", content["alert_type"]), ("Raised at", content["created_at"])]
            named = content["metadata"].items()
            facts = [(_words(name), value) for name, value in named if value is not None]
            return [*_about(content), *raised, *facts]


def _about(content: Mapping[str, Any]) -> list[tuple[str, Any]]:
    execution = content["execution_id"]
    return [("Cue", content["cue_name"]), *([("Execution", execution)] if execution else [])]


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize().replace("http", "HTTP")


def _letter(
    to: str,
    key: str,
    title: str,
    link: str,
    label: str,
    *,
    lines: Sequence[tuple[str, Any]] = (),
    items: tuple[Item, ...] = (),
    more: int = 0,
) -> Letter:
    content = Content(
        title=title,
        facts=tuple((name, _one_line(str(value))) for name, value in lines),
        items=items,
        more=more,
        link=link,
        label=label,
        footer=_FOOTER,
    )
    message_id = f"<{key.replace(':', '.')}@cueapi>"
    return write(to, content, subject=f"[CueAPI] {title}", message_id=message_id)


def _link(content: Mapping[str, Any], links: Links) -> str:
    match content:
        case {"event": "worker.offline"}:
            return links.workers()
        case {"event": "grace.started"}:
            return links.billing()
        case {"execution_id": str() as execution_id}:
            return links.execution(execution_id)
        case _:
            return links.cue(content["cue_id"])


def _one_line(text: str) -> str:
    return " ".join(text.split())

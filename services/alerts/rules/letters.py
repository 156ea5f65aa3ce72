"""The mails that tell of trouble: plain text, and the same as HTML. Pure.

Everything that a user chose is escaped in the HTML, and kept on one line in headers and text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, StrictUndefined

from libs.events.base import Value
from services.alerts.rules.links import Links

LISTED = 50
"""How many of the things held back a digest names; the others it counts."""


class Letter(Value):
    """A mail to one address; `message_id` is the same each time that it is tried."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    link: str


_TEXT = """\
{{ headline }}

{% for name, value in lines %}{{ name }}: {{ value }}
{% endfor %}{% for item in items %}- {{ item.headline }}
  {{ item.link }}
{% endfor %}{% if more %}... and {{ more }} more.
{% endif %}
{{ label }}: {{ link }}

--
{{ footer }}
"""
_HTML = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{{ headline }}</title></head>
<body style="margin:0;padding:24px;background:#f4f4f5;\
font-family:system-ui,-apple-system,Segoe UI,sans-serif;color:#18181b">
<div style="max-width:560px;margin:0 auto;padding:24px;background:#fff;border-radius:8px">
<h1 style="margin:0 0 16px;font-size:18px;line-height:1.4">{{ headline }}</h1>
{% if lines %}<table style="border-collapse:collapse;font-size:14px;line-height:1.5">
{% for name, value in lines %}<tr>\
<th style="padding:2px 16px 2px 0;text-align:left;font-weight:400;color:#52525b;\
vertical-align:top">{{ name }}</th>\
<td style="padding:2px 0;word-break:break-word">{{ value }}</td></tr>
{% endfor %}</table>{% endif %}
{% if items %}<ul style="padding-left:20px;font-size:14px;line-height:1.6">
{% for item in items %}<li><a href="{{ item.link }}">{{ item.headline }}</a></li>
{% endfor %}</ul>{% endif %}
{% if more %}<p style="font-size:14px">&hellip; and {{ more }} more.</p>{% endif %}
<p style="margin:20px 0 0"><a href="{{ link }}" style="display:inline-block;padding:10px 18px;\
background:#18181b;color:#fff;border-radius:6px;font-size:14px;text-decoration:none">\
{{ label }}</a></p>
</div>
<p style="max-width:560px;margin:16px auto 0;font-size:12px;color:#71717a">{{ footer }}</p>
</body>
</html>
"""
_FOOTER = "Mail about failures and alerts is switched off by email_notifications of your account."
_PLAIN = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701 - text, not HTML
_MARKUP = Environment(undefined=StrictUndefined, autoescape=True)
_TEXT_TEMPLATE, _HTML_TEMPLATE = _PLAIN.from_string(_TEXT), _MARKUP.from_string(_HTML)


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
    items = [{"headline": headline(one), "link": _link(one, links)} for one in held[:LISTED]]
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
    items: Sequence[Mapping[str, str]] = (),
    more: int = 0,
) -> Letter:
    told = {
        "headline": title,
        "lines": [(name, _one_line(str(value))) for name, value in lines],
        "items": items,
        "more": more,
        "link": link,
        "label": label,
        "footer": _FOOTER,
    }
    return Letter(
        to=to,
        subject=f"[CueAPI] {title}"[:200],
        text=_TEXT_TEMPLATE.render(told),
        html=_HTML_TEMPLATE.render(told),
        message_id=f"<{key.replace(':', '.')}@cueapi>",
        link=link,
    )


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

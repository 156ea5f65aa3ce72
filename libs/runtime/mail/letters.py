"""What a mail says, and how it looks: plain text, and the same as HTML.

Everything is escaped in the HTML; a subject is kept on one line.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

MAX_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to one address, as it goes out.

    `message_id` is the same each time that it is tried; empty for one that is tried in one process.
    """

    to: str
    subject: str
    text: str
    html: str
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of a list, and where it is told in full."""

    title: str
    link: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a mail says, from top to bottom; what is empty is left out.

    `code` is shown large, for comparing by eye. `facts` are names with values. `more` counts what
    `items` leaves out. `label` is what is written on the button that leads to `link`.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    code: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    items: tuple[Item, ...] = ()
    more: int = 0
    link: str = ""
    label: str = ""
    footer: str = ""


def write(to: str, content: Content, *, subject: str = "", message_id: str = "") -> Letter:
    """Write a mail in both forms; its subject is its title unless another is given."""
    about = " ".join((subject or content.title).split())
    told = {"content": content}
    return Letter(
        to=to,
        subject=about[:MAX_SUBJECT],
        text=_TEXT.render(told),
        html=_HTML.render(told),
        message_id=message_id,
    )


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    autoescape=select_autoescape(["html"]),
    keep_trailing_newline=True,
    trim_blocks=True,
)
_TEXT = _TEMPLATES.get_template("letter.txt")
_HTML = _TEMPLATES.get_template("letter.html")

"""Markdown as pages: HTML that needs no inline style or script, and its plain words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound
from typing_extensions import override

Link = Callable[[str], str | None]
"""Where a link of the source leads on the site; None where it leads off it: it becomes text."""

_OUTSIDE = ("https://", "http://", "mailto:")
_ALIGNED = re.compile(r"text-align:(\w+)")
_NOT_IN_AN_ID = re.compile(r"[^\w\- ]")


class Heading(NamedTuple):
    """One heading: `level` 1 to 6, and the `anchor` by which it is linked, as on GitHub."""

    level: int
    anchor: str
    title: str


class Passage(NamedTuple):
    """The plain words under a heading, for a search."""

    heading: Heading
    text: str


class Rendered(NamedTuple):
    """A page: its first heading, its first paragraph, its HTML, and what it holds by heading."""

    title: str
    summary: str
    html: str
    passages: Sequence[Passage]


def render(source: str, link: Link) -> Rendered:
    """Render CommonMark with tables. The source is trusted: HTML in it passes.

    Raises ValueError if it does not begin with a heading.
    """
    tokens = _PARSER.parse(source)
    _name_headings(tokens)
    passages = list(_passages(tokens))
    if not passages:
        msg = "a page begins with a heading"
        raise ValueError(msg)
    for token in tokens:
        _follow(token.children or [], link)
        _without_style(token)
    return Rendered(
        title=passages[0].heading.title,
        summary=_summary(tokens),
        html=str(_PARSER.renderer.render(tokens, _PARSER.options, {})),
        passages=passages,
    )


def _name_headings(tokens: Sequence[Token]) -> None:
    seen: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            anchor = anchor_of(_plain(inline))
            seen[anchor] = count = seen.get(anchor, -1) + 1
            opening.attrSet("id", f"{anchor}-{count}" if count else anchor)


def anchor_of(title: str) -> str:
    """The anchor that GitHub gives to a heading; a second one of the same page adds `-1`."""
    return _NOT_IN_AN_ID.sub("", title.lower()).replace(" ", "-")


def _passages(tokens: Sequence[Token]) -> Iterator[Passage]:
    heading, words = None, list[str]()
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            if heading is not None:
                yield Passage(heading, " ".join(words))
            title = _plain(tokens[place + 1])
            heading, words = Heading(int(token.tag[1]), str(token.attrGet("id")), title), []
        elif token.type == "inline" and tokens[place - 1].type != "heading_open":
            words.append(_plain(token))
        elif token.type == "fence":
            words.append(token.content)
    if heading is not None:
        yield Passage(heading, " ".join(words))


def _summary(tokens: Sequence[Token]) -> str:
    first = (at for at, token in enumerate(tokens) if token.type == "paragraph_open")
    at = next(first, None)
    return "" if at is None else _plain(tokens[at + 1])


def _plain(inline: Token) -> str:
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content
        for child in inline.children or []
        if child.type in ("text", "code_inline", "softbreak", "hardbreak")
    )


def _follow(children: Sequence[Token], link: Link) -> None:
    open_links: list[bool] = []
    for token in children:
        if token.type == "image":
            token.attrSet("src", link(str(token.attrGet("src"))) or "")
            token.attrSet("loading", "lazy")
        elif token.type == "link_open":
            open_links.append(_leads(token, link))
        if token.type in ("link_open", "link_close"):
            token.tag = "a" if open_links[-1] else "span"
        if token.type == "link_close":
            open_links.pop()


def _leads(token: Token, link: Link) -> bool:
    href = str(token.attrGet("href"))
    target = href if href.startswith(_OUTSIDE) else link(href)
    token.attrs = {} if target is None else {"href": target}
    return target is not None


def _without_style(token: Token) -> None:
    if style := token.attrs.pop("style", None):
        side = _ALIGNED.search(str(style))
        assert side is not None, "only tables set a style"
        token.attrSet("class", f"align-{side.group(1)}")


class _Renderer(RendererHTML):
    """HTML whose parts that scroll can be reached by the keyboard."""

    @override
    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """Render a block of code, coloured by classes."""
        language, code = tokens[idx].info.partition(" ")[0], tokens[idx].content
        return (
            f'<div class="code"><pre tabindex="0"><code class="language-{escape(language)}">'
            f"{_coloured(code, language)}</code></pre></div>\n"
        )

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """Render the beginning of a table, in a box that scrolls."""
        return '<div class="table" role="region" aria-label="Table" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """Render the end of a table."""
        return "</table></div>\n"

    def heading_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any
    ) -> str:
        """Render the end of a heading, with the link to it."""
        anchor, tag = tokens[idx - 2].attrGet("id"), tokens[idx].tag
        title = escape(_plain(tokens[idx - 1]))
        if tag == "h1":
            return "</h1>\n"
        return f' <a class="anchor" href="#{anchor}" aria-label="Link to “{title}”">#</a></{tag}>\n'


def _coloured(code: str, language: str) -> str:
    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        return escape(code)
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


_PARSER = MarkdownIt("commonmark", renderer_cls=_Renderer).enable("table")

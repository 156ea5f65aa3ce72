"""The documentation as a site: its pages, their addresses, and where their links lead."""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from services.api.rules.markdown import Link, Rendered

ROOT = "/docs"
ASSETS = (".css", ".js", ".svg", ".png", ".json")

# The one page whose address is not its file's: errors have led there since the first release.
_MOVED = {"reference/errors.md": "errors"}


class Section(NamedTuple):
    """A group of the navigation: its title, and its pages by their files."""

    title: str
    files: Sequence[str]


def sections_of(contents: str, there: Iterable[str]) -> Sequence[Section]:
    """The navigation that `contents.toml` describes, of the files that are there.

    A pattern such as `guides/*.md` stands for those that nothing before it has named.
    """
    files, named, sections = sorted(there), set[str](), []
    for section in tomllib.loads(contents)["sections"]:
        listed: list[str] = []
        for pattern in map(PurePosixPath, section["files"]):
            listed += [file for file in files if _fits(file, pattern) and file not in named]
            named.update(listed)
        if listed:
            sections.append(Section(section["title"], listed))
    return sections


def _fits(file: str, pattern: PurePosixPath) -> bool:
    path = PurePosixPath(file)
    return len(path.parts) == len(pattern.parts) and path.match(str(pattern))


def address_of(file: str) -> str:
    """The path at which the page of a file is served."""
    slug = _MOVED.get(file, file.removesuffix(".md")).removesuffix("index").rstrip("/")
    return f"{ROOT}/{slug}".rstrip("/")


def names_of(files: Iterable[str]) -> Mapping[str, str]:
    """Each file by every path below `ROOT` that leads to its page, and by its own name."""
    known: dict[str, str] = {}
    for file in files:
        slug = address_of(file).removeprefix(ROOT).removeprefix("/")
        known |= dict.fromkeys((file, file.removesuffix(".md"), slug), file)
    return known


def links_from(file: str, files: Iterable[str]) -> Link:
    """How the links of one file are followed: to another page, or to a file beside the pages."""
    known = frozenset(files)

    def link(href: str) -> str | None:
        path, hash_sign, anchor = href.partition("#")
        if not path or path.startswith("/"):
            return href
        target = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
        if target in known:
            return f"{address_of(target)}{hash_sign}{anchor}"
        inside = not target.startswith("..") and target.endswith(ASSETS)
        return f"{ROOT}/{target}" if inside else None

    return link


def search_index(pages: Mapping[str, Rendered]) -> list[dict[str, str]]:
    """What a search in the browser looks through: a row for each heading of each page."""
    return [
        {
            "page": page.title,
            "title": passage.heading.title,
            "url": address_of(file) + (f"#{passage.heading.anchor}" if number else ""),
            "text": passage.text,
        }
        for file, page in pages.items()
        for number, passage in enumerate(page.passages)
    ]


def llms_txt(sections: Sequence[Section], pages: Mapping[str, Rendered], origin: str) -> str:
    """The list of pages for language models (https://llmstxt.org); links lead to their Markdown."""
    first, *_ = pages.values()
    lines = [f"# {first.title}", "", f"> {first.summary}"]
    for section in sections:
        lines += ["", f"## {section.title}", ""]
        lines += [
            f"- [{pages[file].title}]({origin}{ROOT}/{file}): {pages[file].summary}"
            for file in section.files
        ]
    return "\n".join(lines) + "\n"

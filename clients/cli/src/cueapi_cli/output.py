"""How an answer is shown: for people, for scripts, as JSON, or as ids alone."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, Any

import typer

from cueapi_cli.paths import picked

Cell = Callable[[Any], Any]
MOST_SHOWN = 40

_GOOD = frozenset({"success", "active", "completed", "reported_success", "verified_success"})
_BAD = frozenset({"failed", "missed", "outcome_timeout", "reported_failure", "verification_failed"})


@dataclass(frozen=True)
class Paint:
    """Colours, on a terminal that wants them."""

    color: bool = False

    @classmethod
    def of(cls, stream: IO[str]) -> Paint:
        """For standard output or error as it is."""
        return Paint(stream.isatty() and _colors_wanted())

    def good(self, text: str) -> str:
        """In green."""
        return typer.style(text, fg="green") if self.color else text

    def bad(self, text: str) -> str:
        """In red."""
        return typer.style(text, fg="red") if self.color else text

    def dim(self, text: str) -> str:
        """Less visible."""
        return typer.style(text, dim=True) if self.color else text

    def bold(self, text: str) -> str:
        """In bold."""
        return typer.style(text, bold=True) if self.color else text

    def state(self, word: str) -> str:
        """A status, in the colour of what it means."""
        if word in _GOOD:
            return self.good(word)
        return self.bad(word) if word in _BAD else word


@dataclass(frozen=True)
class Output(Paint):
    """Where answers go. `terminal` is whether a person reads along."""

    terminal: bool = False
    json: bool = False
    indent: int | None = 2
    jq: str | None = None
    quiet: bool = False

    @classmethod
    def detected(cls) -> Output:
        """For standard output as it is."""
        terminal = sys.stdout.isatty()
        return cls(terminal=terminal, color=terminal and _colors_wanted())

    def asked(self, *, as_json: bool, jq: str | None, quiet: bool, no_color: bool) -> Output:
        """This output, as the options on the line want it."""
        color = self.color and not no_color
        return replace(self, json=as_json, jq=jq, quiet=quiet, color=color)

    def by_line(self) -> Output:
        """This output, with a line for each document: for what goes on."""
        return replace(self, indent=None)

    @property
    def for_scripts(self) -> bool:
        """Whether the answer itself is wanted rather than words about it."""
        return self.json or self.jq is not None or self.quiet

    def show(self, document: Any, *lines: str, id_of: str = "id") -> None:
        """Show an answer: the lines, unless the document or its id is wanted."""
        if self._as_document(document):
            return
        if self.quiet:
            typer.echo(_text((document or {}).get(id_of)))
            return
        for line in lines:
            typer.echo(line)

    def table(
        self,
        document: Any,
        items: Sequence[Any],
        columns: dict[str, Cell],
        *,
        id_of: str = "id",
        empty: str = "Nothing found.",
        foot: str | None = None,
    ) -> None:
        """Show a list: aligned with a heading on a terminal, else a line of tabs for each item."""
        if self._as_document(document):
            return
        if self.quiet:
            for item in items:
                typer.echo(item[id_of])
            return
        rows = [[_text(cell(item)) for cell in columns.values()] for item in items]
        if not self.terminal:
            for row in rows:
                typer.echo("\t".join(row))
        elif not rows:
            typer.echo(empty)
        else:
            self._aligned([*columns], rows)
            if foot:
                typer.echo(self.dim(foot))

    def note(self, line: str) -> None:
        """Tell people something that is no answer."""
        if not self.for_scripts:
            typer.echo(line)

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Turn a spinner while the block runs, if a person looks."""
        if not self.terminal or self.for_scripts:
            yield
            return
        from rich.console import Console

        with Console(stderr=True, no_color=not self.color).status(what):
            yield

    def _as_document(self, document: Any) -> bool:
        if self.jq is not None:
            for part in picked(document, self.jq):
                typer.echo(part if isinstance(part, str) else json.dumps(part, ensure_ascii=False))
            return True
        if self.json:
            typer.echo(json.dumps(document, ensure_ascii=False, indent=self.indent))
            return True
        return False

    def _aligned(self, heads: list[str], rows: list[list[str]]) -> None:
        rows = [[_cut(cell) for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        typer.echo(self.bold(_padded([head.upper() for head in heads], widths).rstrip()))
        for row in rows:
            cells = (self._cell(cell.ljust(width)) for cell, width in zip(row, widths, strict=True))
            typer.echo("  ".join(cells).rstrip())

    def _cell(self, padded: str) -> str:
        word = padded.rstrip()
        return self.state(word) + padded[len(word) :]


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(map(str.ljust, cells, widths))


def _cut(cell: str) -> str:
    return cell if len(cell) <= MOST_SHOWN else cell[: MOST_SHOWN - 3] + "..."


def _colors_wanted() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(str(value).split())

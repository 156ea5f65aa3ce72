"""As much of PromQL as can be held against the code without Prometheus: names, labels, brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

AGGREGATIONS = frozenset({"max", "min", "sum", "topk"})
FUNCTIONS = AGGREGATIONS | {
    "absent",
    "avg_over_time",
    "histogram_quantile",
    "increase",
    "rate",
    "time",
    "vector",
}
WORDS = frozenset({"and", "or", "by", "bool"})

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<window>\[(?:\d+[smhd]|\$__rate_interval)\])
    | (?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)
    | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    | (?P<sign>=~|!~|!=|==|>=|<=|[-+*/(){},=<>])
    )""",
    re.VERBOSE,
)
_CLOSES = {")": "(", "}": "{"}


class Selector(NamedTuple):
    """A series that is read, the labels it is picked by, and what `le` must be if it is."""

    name: str
    labels: frozenset[str]
    le: str | None


class NotPromQL(ValueError):
    """The text is not what this module knows of PromQL."""


def selectors(expr: str) -> Iterator[Selector]:
    """Every series in an expression. Raises `NotPromQL` for what cannot be right."""
    tokens = list(_tokens(expr))
    _check_brackets(tokens)
    at = 0
    while at < len(tokens):
        kind, text = tokens[at]
        following = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        at += 1
        if kind != "name" or text in WORDS:
            if text == "by":
                at = _end(tokens, at) + 1
            continue
        if following == "(" or (following == "by" and text in AGGREGATIONS):
            if text not in FUNCTIONS:
                raise NotPromQL(f"{text} is no function that we use")
            continue
        end = _end(tokens, at) if following == "{" else at
        yield Selector(text, *_matchers(tokens[at : end + 1] if following == "{" else []))
        at = end + 1 if following == "{" else at


def grouped(expr: str) -> frozenset[str]:
    """The labels by which an expression groups."""
    lists = re.findall(r"\bby\s*\(([^)]*)\)", expr)
    return frozenset(label.strip() for each in lists for label in each.split(","))


def _tokens(expr: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(expr.rstrip()):
        found = _TOKEN.match(expr, at)
        if found is None:
            raise NotPromQL(f"at {at}: {expr[at : at + 20]!r} in {expr}")
        at = found.end()
        assert found.lastgroup is not None
        yield found.lastgroup, found[found.lastgroup]


def _check_brackets(tokens: list[tuple[str, str]]) -> None:
    opened: list[str] = []
    for kind, text in tokens:
        if kind != "sign":
            continue
        if text in "({":
            opened.append(text)
        elif text in _CLOSES and (not opened or opened.pop() != _CLOSES[text]):
            raise NotPromQL("brackets do not match")
    if opened:
        raise NotPromQL("brackets are left open")


def _end(tokens: list[tuple[str, str]], at: int) -> int:
    return next(n for n in range(at, len(tokens)) if tokens[n][1] in ")}")


def _matchers(tokens: list[tuple[str, str]]) -> tuple[frozenset[str], str | None]:
    inner = [token for token in tokens[1:-1] if token[1] != ","]
    if len(inner) % 3:
        raise NotPromQL(f"not labels: {tokens}")
    labels, le = set(), None
    for n in range(0, len(inner), 3):
        (kind, label), (_, sign), (value_kind, value) = inner[n : n + 3]
        if kind != "name" or sign not in ("=", "!=", "=~", "!~") or value_kind != "text":
            raise NotPromQL(f"not a label: {inner[n : n + 3]}")
        labels.add(label)
        le = value.strip('"') if label == "le" else le
    return frozenset(labels), le

"""The metrics of all services, out of the code; `python -m tests.deploy.observability.metrics`
writes their table into docs/self-hosting/observability.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from prometheus_client import REGISTRY, Histogram
from prometheus_client.metrics import MetricWrapperBase

from deploy.local.programs import SERVICES

PAGE = Path(__file__).parents[3] / "docs" / "self-hosting" / "observability.md"
BEGIN, END = "<!-- metrics: made by the code -->\n", "<!-- end of metrics -->\n"

_SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
}


class Known(NamedTuple):
    """A metric as the code defines it. `buckets` are what `le` may be."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...]
    buckets: frozenset[str]

    @property
    def shown(self) -> str:
        """Its name on the page, and in Prometheus unless it is a histogram."""
        return f"{self.name}_total" if self.kind == "counter" else self.name

    def series(self) -> Iterator[tuple[str, frozenset[str]]]:
        """The names that Prometheus stores, each with its labels."""
        for suffix in _SUFFIXES[self.kind]:
            le = {"le"} if suffix == "_bucket" else set()
            yield self.name + suffix, frozenset({*self.labels, *le})


def known() -> list[Known]:
    """Every metric of ours, by name; imports all services."""
    for service in SERVICES:
        import_module(f"services.{service}.app")
    found = {_known(c) for c in REGISTRY._collector_to_names if isinstance(c, MetricWrapperBase)}
    ours = (m for m in found if m.name.startswith("cueapi_"))
    return sorted(m for m in ours if not m.name.startswith("cueapi_test_"))


def table() -> str:
    """The table of the page."""
    rows = [
        f"| `{m.shown}` | {m.kind} | {', '.join(f'`{label}`' for label in m.labels) or '-'} |"
        f" {m.help} |"
        for m in known()
    ]
    return "\n".join(["| metric | kind | labels | what |", "|---|---|---|---|", *rows, ""])


def page(text: str) -> str:
    """The page with its table as it should be."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def _known(metric: MetricWrapperBase) -> Known:
    [family] = metric.describe()
    bounds = metric._kwargs["buckets"] if isinstance(metric, Histogram) else ()
    return Known(
        family.name,
        family.type,
        family.documentation,
        tuple(metric._labelnames),
        frozenset(str(float(bound)) for bound in bounds),
    )


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))

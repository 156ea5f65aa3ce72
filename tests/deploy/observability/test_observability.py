"""Dashboards and alerts ask only for what the services tell; each alert has its runbook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from deploy.observability.__main__ import FOLDER, files
from deploy.observability.dashboards import DASHBOARDS
from deploy.observability.panels import WIDTH, document
from deploy.observability.slos import BURNS, SLOS, WINDOWS, rules
from services.admin.app import app as admin
from tests.deploy.observability.metrics import PAGE, Known, known, page
from tests.deploy.observability.promql import NotPromQL, grouped, selectors

ROOT = Path(__file__).parents[3]
RUNBOOKS = ROOT / "docs" / "self-hosting" / "runbooks"
SCRAPED = frozenset({"job", "instance", "service"})
UNITS = frozenset({"s", "short", "ops", "reqps", "percentunit"})


def all_rules() -> list[dict[str, Any]]:
    return [rule for group in rules()["groups"] for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in all_rules() if "alert" in rule}


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for dashboard in DASHBOARDS:
        for panel in document(dashboard)["panels"]:
            if panel["type"] != "row":
                yield f"{dashboard.title}: {panel['title']}", panel


def expressions() -> Iterator[tuple[str, str]]:
    for title, panel in panels():
        yield from ((title, target["expr"]) for target in panel["targets"])
    yield from ((rule.get("alert") or rule["record"], rule["expr"]) for rule in all_rules())


METRICS = known()
SERIES: dict[str, tuple[Known | None, frozenset[str]]] = {
    **{name: (metric, labels) for metric in METRICS for name, labels in metric.series()},
    **{rule["record"]: (None, frozenset()) for rule in all_rules() if "record" in rule},
    "up": (None, frozenset()),
}


@pytest.mark.parametrize(("place", "expr"), sorted(set(expressions())))
def test_an_expression_asks_for_what_the_code_tells(place: str, expr: str) -> None:
    found = list(selectors(expr))
    assert found, expr
    known_labels = set(SCRAPED)
    for selector in found:
        assert selector.name in SERIES, f"{place}: no metric {selector.name}"
        metric, labels = SERIES[selector.name]
        known_labels |= labels
        assert selector.labels <= labels | SCRAPED, f"{place}: {selector}"
        if selector.le is not None:
            assert metric is not None
            assert selector.le in metric.buckets, f"{place}: no bucket {selector.le}"
    assert grouped(expr) <= known_labels, place


@pytest.mark.parametrize(
    "expr",
    ["sum(rate(a[5m])", "frobnicate(a)", "rate(a[5 minutes])", 'a{b="c"', "a{b=c}", 'a{="c"}'],
)
def test_what_is_no_promql_is_found(expr: str) -> None:
    with pytest.raises(NotPromQL):
        list(selectors(expr))


def test_series_labels_and_buckets_are_read() -> None:
    expr = 'sum by (le) (rate(a_bucket{le="0.5", b!~"c|d"}[5m])) / e:f'
    [a, e] = selectors(expr)
    assert a == ("a_bucket", frozenset({"le", "b"}), "0.5")
    assert e == ("e:f", frozenset(), None)
    assert grouped(expr) == {"le"}


@pytest.mark.parametrize(("title", "panel"), list(panels()), ids=[title for title, _ in panels()])
def test_a_panel_says_what_it_shows_and_in_which_unit(title: str, panel: dict[str, Any]) -> None:
    assert panel["description"].endswith("."), title
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    place = panel["gridPos"]
    assert place["x"] + place["w"] <= WIDTH


def test_no_panel_lies_over_another() -> None:
    for dashboard in DASHBOARDS:
        taken: set[tuple[int, int]] = set()
        for panel in document(dashboard)["panels"]:
            at = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            assert not cells & taken, f"{dashboard.title}: {panel['title']}"
            taken |= cells


def test_every_metric_is_shown_or_alerted_on() -> None:
    used = {selector.name for _, expr in expressions() for selector in selectors(expr)}
    unseen = [m.shown for m in METRICS if not used & {name for name, _ in m.series()}]
    assert unseen == []


def test_the_files_are_what_the_code_makes() -> None:
    made = files()
    for path, text in made.items():
        assert path.read_text() == text, "run `python -m deploy.observability`"
    there = {*(FOLDER / "dashboards").iterdir(), *(FOLDER / "rules").iterdir()}
    assert there == set(made)
    assert yaml.safe_load(made[FOLDER / "rules" / "cueapi.yaml"]) == rules()


@pytest.mark.parametrize("slo", SLOS, ids=[slo.name for slo in SLOS])
def test_a_promise_is_watched_over_two_windows_at_four_paces(slo: Any) -> None:
    burning = [rule for rule in all_rules() if rule.get("alert") == slo.alert]
    assert [rule["labels"]["severity"] for rule in burning] == ["page", "page", "ticket", "ticket"]
    for rule, burn in zip(burning, BURNS, strict=True):
        recorded = [selector.name for selector in selectors(rule["expr"])]
        assert recorded == [slo.record(burn.long), slo.record(burn.short)]
        assert {burn.long, burn.short} <= set(WINDOWS)
        assert burn.rate * slo.budget < 1, "an alert that can never fire"


def test_each_alert_has_a_runbook_and_each_runbook_an_alert() -> None:
    pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"index"}
    assert pages == set(alerts())
    for name, rule in alerts().items():
        assert rule["annotations"]["runbook_url"].endswith(f"/self-hosting/runbooks/{name}")
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("page", "ticket")


@pytest.mark.parametrize("name", sorted(alerts()))
def test_a_runbook_says_what_why_how_to_look_and_what_to_do(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["What it means", "Impact", "How to look", "How to fix"]


@pytest.mark.parametrize("path", sorted([*RUNBOOKS.glob("*.md"), PAGE]), ids=lambda path: path.stem)
def test_what_a_page_names_exists(path: Path) -> None:
    text = path.read_text()
    for words in re.findall(r"cueapi-admin ((?:[a-z]+ ?)+)", text):
        _find(words.split())
    for metric in re.findall(r"\bcueapi_\w+", text):
        shown = {m.shown for m in METRICS} | set(SERIES)
        assert metric in shown, metric
    for link in re.findall(r"\]\(([^)#]+)", text):
        if not link.startswith("http"):
            assert (path.parent / link).exists(), link


def test_the_page_lists_every_metric() -> None:
    text = PAGE.read_text()
    assert page(text) == text, "run `python -m tests.deploy.observability.metrics`"


def test_names_are_of_one_form() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"cueapi_[a-z_]+[a-z]", metric.name)
        assert not metric.help.endswith(".")
        if metric.kind == "histogram":
            assert metric.name.endswith(("_seconds", "_messages"))


def _find(words: list[str]) -> None:
    command: Any = typer.main.get_command(admin)
    for word in words:
        below = getattr(command, "commands", None)
        if below is None:  # what follows a command are its arguments, or the sentence
            return
        assert word in below, f"cueapi-admin has no {word!r} of {words}"
        command = below[word]

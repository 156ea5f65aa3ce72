"""What Grafana's dashboards are made of: panels in rows, each with a unit and a description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

WIDTH, HEIGHT = 24, 8
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}

Json = dict[str, Any]


class Series(NamedTuple):
    """A query in PromQL, and what its lines are called."""

    expr: str
    legend: str = ""


class Panel(NamedTuple):
    """One picture. `kind` is Grafana's; `limit` colours what is beyond it red."""

    title: str
    description: str
    unit: str
    series: Sequence[Series]
    kind: str = "timeseries"
    width: int = 8
    limit: float | None = None
    below_is_bad: bool = False


class Dashboard(NamedTuple):
    """A page of rows, each with a heading."""

    uid: str
    title: str
    description: str
    rows: Mapping[str, Sequence[Panel]]


def document(dashboard: Dashboard) -> Json:
    """The dashboard as Grafana reads it; placed left to right, row after row."""
    panels: list[Json] = []
    top = 0
    for heading, row in dashboard.rows.items():
        panels.append(_heading(heading, top, len(panels) + 1))
        top += 1
        left = 0
        for panel in row:
            if left + panel.width > WIDTH:
                left, top = 0, top + HEIGHT
            panels.append(_panel(panel, left, top, len(panels) + 1))
            left += panel.width
        top += HEIGHT
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["cueapi"],
        "timezone": "utc",
        "schemaVersion": 41,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "links": [_others()],
        "panels": panels,
    }


def _heading(title: str, top: int, number: int) -> Json:
    place = {"x": 0, "y": top, "w": WIDTH, "h": 1}
    return {"id": number, "type": "row", "title": title, "gridPos": place, "panels": []}


def _panel(panel: Panel, left: int, top: int, number: int) -> Json:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": PROMETHEUS,
        "gridPos": {"x": left, "y": top, "w": panel.width, "h": HEIGHT},
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
        "targets": [_target(panel, n, series) for n, series in enumerate(panel.series)],
    }


def _defaults(panel: Panel) -> Json:
    base, beyond = ("red", "green") if panel.below_is_bad else ("green", "red")
    steps: list[Json] = [{"color": base, "value": None}]
    if panel.limit is not None:
        steps.append({"color": beyond, "value": panel.limit})
    drawn = {"fillOpacity": 8, "showPoints": "never"}
    if panel.limit is not None:
        drawn["thresholdsStyle"] = {"mode": "line"}
    return {
        "unit": panel.unit,
        "min": 0,
        "thresholds": {"mode": "absolute", "steps": steps},
        **({"custom": drawn} if panel.kind == "timeseries" else {}),
    }


def _options(panel: Panel) -> Json:
    if panel.kind == "timeseries":
        return {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"}


def _target(panel: Panel, number: int, series: Series) -> Json:
    return {
        "refId": chr(ord("A") + number),
        "datasource": PROMETHEUS,
        "expr": series.expr,
        "legendFormat": series.legend or "__auto",
        "exemplar": panel.kind == "timeseries" and "_bucket" in series.expr,
    }


def _others() -> Json:
    return {"type": "dashboards", "title": "CueAPI", "tags": ["cueapi"], "asDropdown": False}

"""Write the dashboards and the rules beside this file, as Grafana and Prometheus read them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from deploy.observability.dashboards import DASHBOARDS
from deploy.observability.panels import document
from deploy.observability.slos import rules

FOLDER = Path(__file__).parent
_HEAD = "# Made by `python -m deploy.observability`; edit deploy/observability/slos.py.\n"


def files() -> Mapping[Path, str]:
    """What is to be in each file."""
    made = {
        FOLDER / "dashboards" / f"{dashboard.uid}.json": json.dumps(document(dashboard), indent=1)
        + "\n"
        for dashboard in DASHBOARDS
    }
    text = yaml.safe_dump(rules(), sort_keys=False, width=100, allow_unicode=True)
    return {**made, FOLDER / "rules" / "cueapi.yaml": _HEAD + text}


def main() -> int:
    """Write them all."""
    for path, text in files().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Outcomes on disk, from the end of the work until the API has them.

A worker that dies, or loses the network, between the two reports when it comes back.
"""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from cueapi.worker import Report

_log = logging.getLogger("cueapi.worker")


class DiskSpool:
    """A folder with a file for each outcome that the API does not have yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Looked for now, because later ones are on their way already.
        self._earlier = deque(sorted(folder.glob("*.json"), key=lambda each: each.stat().st_mtime))

    def keep(self, report: Report) -> None:
        """Store a report; whoever looks sees all of it or nothing."""
        path = self._path(report.execution_id)
        begun = path.with_suffix(".tmp")
        begun.write_text(json.dumps(dict(report.body)), encoding="utf-8")
        os.replace(begun, path)

    def drop(self, execution_id: str) -> None:
        """Forget a report: the API has it, or will never want it."""
        self._path(execution_id).unlink(missing_ok=True)

    def left(self) -> Iterable[Report]:
        """Give the reports that an earlier process kept and did not drop, oldest first; once."""
        while self._earlier:
            report = _read(self._earlier.popleft())
            if report is not None:
                yield report

    def count(self) -> int:
        """Say how many reports the API does not have yet."""
        return sum(1 for _ in self._folder.glob("*.json"))

    def _path(self, execution_id: str) -> Path:
        return self._folder / f"{execution_id}.json"


def _read(path: Path) -> Report | None:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        aside = path.with_suffix(".broken")
        _log.error("%s is no report: put aside as %s", path, aside.name)
        os.replace(path, aside)
        return None
    return Report(path.stem, body)

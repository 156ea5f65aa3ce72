"""Where a worker keeps what has to outlive it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from cueapi_worker.config import Config
from cueapi_worker.credentials import state_home


def spool_folder(config: Config, environ: Mapping[str, str]) -> Path:
    """Give the folder of outcomes that are still to be reported: one for each worker id."""
    base = config.state_dir or state_home(environ) / "cueapi-worker"
    return base / (re.sub(r"[^\w.-]", "_", config.worker_id) or "_") / "outcomes"

"""Workers in Python: functions that do what cues ask for.

`Worker` is for users. Whoever builds a program on the engine (`cueapi-worker`) adds handlers with
`Worker.add`, keeps outcomes over a crash with a `Spool` of their own, and hears of a lost lease by
`Context.on_lost`.
"""

from cueapi.outcome import Outcome, Retry
from cueapi.worker.context import Context
from cueapi.worker.job import Job, LeaseLost
from cueapi.worker.report import NoSpool, Report, Spool
from cueapi.worker.worker import Worker

__all__ = [
    "Context",
    "Job",
    "LeaseLost",
    "NoSpool",
    "Outcome",
    "Report",
    "Retry",
    "Spool",
    "Worker",
]

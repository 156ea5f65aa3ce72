"""What the scheduler reads from its environment."""

from __future__ import annotations

from pydantic import Field

from libs.runtime.settings import Settings


class SchedulerSettings(Settings):
    """Settings of the scheduler."""

    disable_quota_enforcement: bool = Field(
        default=False,
        alias="DISABLE_QUOTA_ENFORCEMENT",
        description="true lifts the plans' limits, for self-hosting and benchmarks",
    )
    unclaimed_timeout_seconds: int = Field(
        default=900,
        alias="WORKER_UNCLAIMED_TIMEOUT_SECONDS",
        gt=0,
        description="after this long without a claim a worker's execution is missed",
    )

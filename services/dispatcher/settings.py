"""What the dispatcher reads from its environment."""

from __future__ import annotations

from pydantic import Field

from libs.runtime.http.settings import EgressSettings


class DispatcherSettings(EgressSettings):
    """Settings of the dispatcher."""

    concurrency: int = Field(
        default=512,
        alias="CUEAPI_DISPATCH_CONCURRENCY",
        gt=0,
        description="attempts on the wire at once, per process",
    )
    account_concurrency: int = Field(
        default=256,
        alias="CUEAPI_DISPATCH_ACCOUNT_CONCURRENCY",
        gt=0,
        description="of those, for one account",
    )
    host_concurrency: int = Field(
        default=256,
        alias="CUEAPI_DISPATCH_HOST_CONCURRENCY",
        gt=0,
        description="of those, to one destination host",
    )
    lease_margin_seconds: float = Field(
        default=10.0,
        alias="CUEAPI_ATTEMPT_LEASE_MARGIN_SECONDS",
        gt=0,
        description="an attempt without a result this long after its timeout is lost",
    )
    claim_timeout_seconds: int = Field(
        default=900,
        alias="WORKER_CLAIM_TIMEOUT_SECONDS",
        gt=0,
        description="length of a worker's lease",
    )
    heartbeat_timeout_seconds: int = Field(
        default=180,
        alias="WORKER_HEARTBEAT_TIMEOUT_SECONDS",
        gt=0,
        description="a worker silent for longer no longer holds its leases",
    )
    unclaimed_timeout_seconds: int = Field(
        default=900,
        alias="WORKER_UNCLAIMED_TIMEOUT_SECONDS",
        gt=0,
        description="after this long without a claim an execution is missed",
    )

"""Python SDK for CueAPI: cues, executions, outcomes, workers.

Names are imported when they are first used, so that `import cueapi` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cueapi.version import __version__

if TYPE_CHECKING:
    from cueapi.async_client import AsyncCueAPI
    from cueapi.calls import Call
    from cueapi.client import CueAPI
    from cueapi.errors import (
        AlertNotFoundError,
        APIConnectionError,
        APITimeoutError,
        AuthenticationError,
        ClaimFailedError,
        ConflictError,
        CueAPIError,
        CueAPIServerError,
        CueLimitExceededError,
        CueNotFoundError,
        DuplicateNameError,
        ExecutionLimitExceededError,
        ExecutionNotFoundError,
        InvalidCallbackURLError,
        InvalidScheduleError,
        NotOwnerError,
        OutcomeAlreadyRecordedError,
        PayloadTooLargeError,
        PreconditionFailedError,
        RateLimitError,
        TicketNotFoundError,
        ValidationError,
        WorkerNotFoundError,
    )
    from cueapi.models import (
        Alert,
        AlertList,
        Cue,
        CueDetail,
        CueList,
        Execution,
        ExecutionList,
        OutcomeDetail,
        StreamEvent,
        WorkerList,
    )
    from cueapi.outcome import Outcome, Retry
    from cueapi.payload import CuePayload
    from cueapi.resources.cues import AsyncCuesResource, CuesResource
    from cueapi.resources.executions import AsyncExecutionsResource, ExecutionsResource
    from cueapi.values import NOT_GIVEN, NotGiven
    from cueapi.webhooks import Delivery, WebhookReceiver, verify_webhook
    from cueapi.worker import Context, Worker

__all__ = [
    "NOT_GIVEN",
    "APIConnectionError",
    "APITimeoutError",
    "Alert",
    "AlertList",
    "AlertNotFoundError",
    "AsyncCueAPI",
    "AsyncCuesResource",
    "AsyncExecutionsResource",
    "AuthenticationError",
    "Call",
    "ClaimFailedError",
    "ConflictError",
    "Context",
    "Cue",
    "CueAPI",
    "CueAPIError",
    "CueAPIServerError",
    "CueDetail",
    "CueLimitExceededError",
    "CueList",
    "CueNotFoundError",
    "CuePayload",
    "CuesResource",
    "Delivery",
    "DuplicateNameError",
    "Execution",
    "ExecutionLimitExceededError",
    "ExecutionList",
    "ExecutionNotFoundError",
    "ExecutionsResource",
    "InvalidCallbackURLError",
    "InvalidScheduleError",
    "NotGiven",
    "NotOwnerError",
    "Outcome",
    "OutcomeAlreadyRecordedError",
    "OutcomeDetail",
    "PayloadTooLargeError",
    "PreconditionFailedError",
    "RateLimitError",
    "Retry",
    "StreamEvent",
    "TicketNotFoundError",
    "ValidationError",
    "WebhookReceiver",
    "Worker",
    "WorkerList",
    "WorkerNotFoundError",
    "__version__",
    "verify_webhook",
]

_HOMES = {
    "Retry": "cueapi.outcome",
    "Outcome": "cueapi.outcome",
    "Context": "cueapi.worker",
    "Worker": "cueapi.worker",
    "verify_webhook": "cueapi.webhooks",
    "WebhookReceiver": "cueapi.webhooks",
    "Delivery": "cueapi.webhooks",
    "AsyncCueAPI": "cueapi.async_client",
    "Call": "cueapi.calls",
    "CueAPI": "cueapi.client",
    "Alert": "cueapi.models",
    "AlertList": "cueapi.models",
    "Cue": "cueapi.models",
    "CueDetail": "cueapi.models",
    "CueList": "cueapi.models",
    "Execution": "cueapi.models",
    "ExecutionList": "cueapi.models",
    "OutcomeDetail": "cueapi.models",
    "StreamEvent": "cueapi.models",
    "WorkerList": "cueapi.models",
    "CuePayload": "cueapi.payload",
    "AsyncCuesResource": "cueapi.resources.cues",
    "CuesResource": "cueapi.resources.cues",
    "AsyncExecutionsResource": "cueapi.resources.executions",
    "ExecutionsResource": "cueapi.resources.executions",
    "NOT_GIVEN": "cueapi.values",
    "NotGiven": "cueapi.values",
}


def __getattr__(name: str) -> Any:
    """Import a name from where it lives. Raises AttributeError for one that is not ours."""
    if name not in __all__:
        raise AttributeError(f"module 'cueapi' has no attribute {name!r}")
    home = "cueapi.errors" if name.endswith("Error") else _HOMES[name]
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Name what can be imported."""
    return __all__

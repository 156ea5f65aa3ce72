"""All tools, in the order in which an agent reads them."""

from cueapi_mcp.tool import Tool
from cueapi_mcp.tools.account import AcknowledgeAlert, ListAlerts, ListWorkers, Usage
from cueapi_mcp.tools.cues import (
    CreateCue,
    DeleteCue,
    FireCue,
    GetCue,
    ListCues,
    PauseCue,
    ResumeCue,
    UpdateCue,
)
from cueapi_mcp.tools.executions import (
    GetExecution,
    GetExecutionTimeline,
    ListExecutions,
    Replay,
)
from cueapi_mcp.tools.outcomes import AppendEvidence, ReportOutcome, Verify
from cueapi_mcp.tools.schedules import Explain, PreviewSchedule
from cueapi_mcp.tools.work import (
    ClaimExecution,
    ClaimNextExecution,
    ExecutionHeartbeat,
    ListClaimableExecutions,
)

TOOLS: tuple[type[Tool], ...] = (
    CreateCue,
    ListCues,
    GetCue,
    UpdateCue,
    PauseCue,
    ResumeCue,
    DeleteCue,
    FireCue,
    PreviewSchedule,
    Explain,
    ListExecutions,
    GetExecution,
    GetExecutionTimeline,
    Replay,
    ReportOutcome,
    AppendEvidence,
    Verify,
    ListClaimableExecutions,
    ClaimExecution,
    ClaimNextExecution,
    ExecutionHeartbeat,
    ListWorkers,
    ListAlerts,
    AcknowledgeAlert,
    Usage,
)

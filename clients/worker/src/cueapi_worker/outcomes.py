"""From how a command ended to the outcome that is reported (the table of clients.md §3)."""

from __future__ import annotations

from typing import Any, Final

from cueapi.worker import Outcome

from cueapi_worker.outcome_file import OutcomeFile
from cueapi_worker.process import End, Exited, NotStarted, Stopped, TimedOut

NOTES: Final = "_cueapi_worker"
_OUTPUT: Final = 4_096
_STDERR: Final = "\n--- stderr ---\n"


def outcome_of(end: End, file: OutcomeFile) -> Outcome:
    """Say what to report of a command that ended so, and left this outcome file."""
    match end:
        case NotStarted(reason):
            return Outcome.failure(f"Handler could not be started: {reason}")
        case TimedOut(seconds):
            return Outcome.failure(f"Handler timeout exceeded ({seconds:g}s)")
        case Stopped():
            return Outcome.failure("Handler was stopped")
        case Exited():
            return _reported(end, file)


def _reported(end: Exited, file: OutcomeFile) -> Outcome:
    evidence = {
        name: value
        for name, value in file.fields.items()
        if name not in ("success", "result", "error", "metadata")
    }
    metadata = {**file.fields.get("metadata", {}), **_notes(file)} or None
    if end.code == 0 and file.fields.get("success", True):
        result = file.fields.get("result") or _output(end) or "completed"
        return Outcome(result=result, metadata=metadata, **evidence)
    error = file.fields.get("error") or _output(end) or "handler failed"
    return Outcome.failure(error, metadata=metadata, **evidence)


def _output(end: Exited) -> str:
    stdout, stderr = end.stdout.strip(), end.stderr.strip()
    output = f"{stdout}{_STDERR}{stderr}" if stderr else stdout
    return output[:_OUTPUT]


def _notes(file: OutcomeFile) -> dict[str, Any]:
    notes: dict[str, Any] = {}
    if file.parse_error is not None:
        notes["outcome_file_parse_error"] = file.parse_error
    if file.dropped:
        notes["outcome_file_dropped_fields"] = list(file.dropped)
    return {NOTES: notes} if notes else {}

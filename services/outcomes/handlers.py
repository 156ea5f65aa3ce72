"""Commands about outcomes: load, decide, append, answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from libs.events.answers import OutcomeAnswer
from libs.events.base import Command, Rejection, Value, VerificationMode
from libs.events.blobs import BlobKey, blob_of, get_blobs, put_blobs
from libs.events.envelope import Meta
from libs.events.evidence import evidence_in
from libs.events.execution_commands import (
    AppendEvidence,
    ReportOutcome,
    RequestVerification,
    VerifyOutcome,
)
from libs.events.execution_rows import (
    outcome_state,
    status,
)
from libs.events.executions import CATEGORY, Execution
from libs.events.log import PostgresUnit
from services.outcomes import decider, queries
from services.outcomes.rules import excess_of, merged_details


class OutcomeDesk:
    """Handles the commands about outcomes, a micro-batch at a time."""

    def __init__(self) -> None:
        self._modes: dict[str, VerificationMode] = {}
        self._details: dict[BlobKey, dict[str, Any]] = {}

    async def load(self, unit: PostgresUnit, commands: Sequence[Command]) -> None:
        """Lock the executions; read their cues' modes, and the evidence that will be merged."""
        keys = {c.execution_id for c in commands if hasattr(c, "execution_id")}
        await unit.lock(CATEGORY, keys)
        locked = [e for key in keys if (e := unit.state(CATEGORY, key)) is not None]
        self._modes = await queries.modes_of(unit, {e.facts.cue_id for e in locked})
        appends = [c for c in commands if isinstance(c, AppendEvidence)]
        self._details = await self._merge(unit, appends) if appends else {}

    async def _merge(
        self, unit: PostgresUnit, commands: Sequence[AppendEvidence]
    ) -> dict[BlobKey, dict[str, Any]]:
        """Merge each command's document into its execution's, in order, and store the results."""
        present = {
            command.execution_id: (command.account_id, outcome.report.details_ref)
            for command in commands
            if (execution := self._execution(unit, command)) is not None
            and (outcome := execution.facts.outcome) is not None
            and outcome.report.details_ref is not None
        }
        wanted = {(c.account_id, c.details_ref) for c in commands} | set(present.values())
        bodies = await get_blobs(unit.connection, wanted)
        latest = {key: msgspec.json.decode(bodies[ref]) for key, ref in present.items()}
        merged: dict[BlobKey, dict[str, Any]] = {}
        stored: dict[BlobKey, bytes] = {}
        for command in commands:
            added = msgspec.json.decode(bodies[command.account_id, command.details_ref])
            details = merged_details(latest.get(command.execution_id, {}), added)
            merged[command.execution_id, command.details_ref] = details
            if excess_of(details) is not None:
                continue
            latest[command.execution_id] = details
            body = msgspec.json.encode(details)
            stored[command.account_id, blob_of(body).sha256] = body
        await put_blobs(unit.connection, stored)
        return merged

    def handle(self, unit: PostgresUnit, command: Command, meta: Meta) -> Value | Rejection:
        """Decide one command, record its events, and answer."""
        execution = self._execution(unit, command)
        verdict = self._decide(unit, command, execution)
        if isinstance(verdict, Rejection):
            return verdict
        assert execution is not None
        facts = execution.facts
        unit.record(CATEGORY, facts.id, facts.account_id, verdict, meta)
        return _answer(unit.state(CATEGORY, facts.id))

    def _decide(
        self, unit: PostgresUnit, command: Command, execution: Execution | None
    ) -> decider.Decided:
        match command:
            case ReportOutcome():
                return decider.report_outcome(
                    execution,
                    command.report,
                    self._mode(execution),
                    source="api",
                    worker_id=command.worker_id,
                    now=unit.now,
                )
            case AppendEvidence():
                details = self._details[command.execution_id, command.details_ref]
                return decider.append_evidence(
                    execution,
                    blob_of(msgspec.json.encode(details)).sha256,
                    evidence_in(details),
                    command.result_type,
                    unit.now,
                    excess=excess_of(details),
                )
            case VerifyOutcome():
                return decider.verify_outcome(execution, command, unit.now)
            case RequestVerification():
                return decider.request_verification(execution, command, unit.now)
            case _:
                raise TypeError(f"{type(command).__name__} is not the outcomes service's")

    def _execution(self, unit: PostgresUnit, command: Command) -> Execution | None:
        execution: Execution | None = unit.state(CATEGORY, getattr(command, "execution_id", ""))
        if execution is None or execution.facts.account_id != command.account_id:
            return None
        # An execution is gone with its cue, whose settings can then no longer be read.
        return execution if execution.facts.cue_id in self._modes else None

    def _mode(self, execution: Execution | None) -> VerificationMode:
        if execution is None:
            return VerificationMode.NONE
        return self._modes[execution.facts.cue_id]


def _answer(execution: Execution) -> OutcomeAnswer:
    outcome = execution.facts.outcome
    assert outcome is not None, "an outcome was recorded"
    return OutcomeAnswer(
        execution_id=execution.facts.id,
        outcome_state=outcome_state(execution.facts) or "",
        outcome_success=outcome.report.success,
        status=status(execution),
        reason=outcome.reason,
    )

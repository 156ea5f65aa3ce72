"""The outcomes service: puts on record what agents report, and verifies it.

Writes   `OutcomeReported`, `EvidenceAppended`, `OutcomeVerified`, `VerificationRequested Failed`,
         `OutcomeDeadlinePassed`.
Decides  ReportOutcome, AppendEvidence, VerifyOutcome, RequestVerification.
Reacts   to `AttemptSucceeded`: the answer may hold an outcome.
Wakes    `executions.outcome_due_at`: outcomes found in answers, and deadlines.
"""

"""The dispatcher: delivers webhooks and lends executions to workers.

Writes   `AttemptPostponed Started Succeeded Failed Lost`, `LateResultRecorded`, `DeliveryFailed`,
         `ExecutionClaimed`, `LeaseExtended Expired`, `ExecutionMissed Cancelled`.
Decides  ClaimExecution, ClaimNextExecution, ExtendLease, RecordWorkerHeartbeat,
         DeleteWorker; and, called, SendTestDelivery.
Reacts   to `ExecutionScheduled`: something may be due now.
Wakes    `executions.delivery_due_at`: new ones, retries, leases that ended, unclaimed ones.
Owns     the registry of workers.
"""

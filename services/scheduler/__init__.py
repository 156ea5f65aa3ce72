"""The scheduler: decides when cues fire.

Writes   `CueCreated Updated Paused Resumed Deleted Completed Failed`, `SlotsSkipped`,
         and `ExecutionScheduled`, the first event of each execution.
Decides  CreateCue, UpdateCue, DeleteCue, FireCue, ReplayExecution.
Reacts   to ended executions: they end the `once` cue that they belong to, and pause a recurring
         one that wants to be paused on failure.
Wakes    `cues.next_run`.
Hosts    the relay.
"""

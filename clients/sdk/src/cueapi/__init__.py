"""Python SDK for CueAPI: cues, executions, outcomes, workers."""

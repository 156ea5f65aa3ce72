"""Decisions about cues: events or a refusal, from values alone."""

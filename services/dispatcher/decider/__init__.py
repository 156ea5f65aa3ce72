"""Decisions about attempts and claims: events, from values alone."""

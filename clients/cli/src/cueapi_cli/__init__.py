"""Command line of CueAPI. Everything is imported when it is needed: help must come at once."""

__version__ = "1.0.0"

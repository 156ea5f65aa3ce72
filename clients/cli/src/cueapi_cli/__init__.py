"""Command line of CueAPI."""

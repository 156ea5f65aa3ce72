"""Pure calculations of the alerts service: rows of failures, windows, signatures, the pace."""

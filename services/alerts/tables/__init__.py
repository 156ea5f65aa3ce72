"""The tables that the alerts service alone may touch."""

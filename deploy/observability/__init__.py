"""Dashboards, recording rules and alerts, as code: `python -m deploy.observability` writes them."""

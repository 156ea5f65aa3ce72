"""What it costs and how late it is; one file per question, one runner: `python -m bench`."""

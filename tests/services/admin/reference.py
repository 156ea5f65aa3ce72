"""`python -m tests.services.admin.reference`: writes docs/reference/admin.md from `--help`."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from services.admin.app import app

FILE = Path(__file__).parents[3] / "docs" / "reference" / "admin.md"
_BEGIN = """\
# cueapi-admin

The operators' command line. It works on the database itself, so it needs the environment of the
services (`DATABASE_URL`, `NATS_URL`, `SESSION_SECRET`, `CUEAPI_ENCRYPTION_KEY`, and for answers to
tickets `CUEAPI_SMTP_URL` or `RESEND_API_KEY`), and whoever may run it may do everything. Every
command has `--json`; every error says what to do next; the exit code is 0 only if all went well.

This page is made from `--help` by `python -m tests.services.admin.reference`.
"""


def reference() -> str:
    """Write the page."""
    parts = [_BEGIN]
    for group in app.registered_groups:
        assert group.name is not None
        assert group.typer_instance is not None
        parts.append(f"\n## {group.name}\n")
        for command in group.typer_instance.registered_commands:
            assert command.callback is not None
            name = command.name or command.callback.__name__.replace("_", "-")
            path = [group.name, name]
            shown = CliRunner().invoke(
                app, [*path, "--help"], prog_name="cueapi-admin", env={"COLUMNS": "80"}
            )
            lines = "\n".join(line.rstrip() for line in shown.output.strip().splitlines())
            parts.append(f"\n### {' '.join(path)}\n\n```text\n{lines}\n```\n")
    return "".join(parts)


if __name__ == "__main__":
    FILE.write_text(reference())

"""Outcomes counted by month as they come, so that usage needs no reading of the month."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute((Path(__file__).parent.parent / "schema_0004.sql").read_text())


def downgrade() -> None:
    op.execute("drop view api_outcomes; drop table outcome_counts")

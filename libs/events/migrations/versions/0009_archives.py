"""Months of the log that lie in files."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute((Path(__file__).parent.parent / "schema_0009.sql").read_text())


def downgrade() -> None:
    op.execute("drop table archived_months")

"""What the api keeps: sign-ins by device code, echoes, support tickets, and counts of outcomes."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute((Path(__file__).parent.parent / "schema_0003.sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("tickets and counts would be forgotten; restore a backup instead")

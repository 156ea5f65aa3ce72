"""What the alerts service keeps: watched cues."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute((Path(__file__).parent.parent / "schema_0002.sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("what was told to whom would be forgotten; restore a backup instead")

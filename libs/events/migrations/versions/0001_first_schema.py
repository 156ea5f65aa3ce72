"""The log, the state rows, the machinery and the published views."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute((Path(__file__).parent.parent / "schema_0001.sql").read_text())


def downgrade() -> None:
    raise NotImplementedError("the first schema has nothing before it; restore a backup instead")

"""When the erasure of an account has ended."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute((Path(__file__).parent.parent / "schema_0008.sql").read_text())


def downgrade() -> None:
    op.execute("alter table erased_accounts drop column finished_at")

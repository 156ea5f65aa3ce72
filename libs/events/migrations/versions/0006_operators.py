"""What operators say to users, and whom they erased."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute((Path(__file__).parent.parent / "schema_0006.sql").read_text())


def downgrade() -> None:
    op.execute("drop table erased_accounts; drop table support_replies")

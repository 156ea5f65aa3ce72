"""Limits of an account's own."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute((Path(__file__).parent.parent / "schema_0007.sql").read_text())


def downgrade() -> None:
    op.execute(
        "drop view account_plans; create view account_plans as"
        " select id as account_id, plan from accounts; alter table accounts drop column limits"
    )

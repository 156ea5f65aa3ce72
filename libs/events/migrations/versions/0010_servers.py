"""A log that was restored into another server."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute((Path(__file__).parent.parent / "schema_0010.sql").read_text())


def downgrade() -> None:
    op.execute(
        "drop function adopt_log; drop function log_horizon;"
        " alter table relay drop column xid_offset, drop column system_identifier"
    )

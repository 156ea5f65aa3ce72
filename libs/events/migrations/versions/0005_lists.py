"""Lists that stay fast when there is much in them."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute((Path(__file__).parent.parent / "schema_0005.sql").read_text())


def downgrade() -> None:
    op.execute(
        "create or replace view api_executions as"
        " select e.*, c.name as cue_name from executions e join cues c on c.id = e.cue_id"
        " where c.status <> 'deleted' and e.status <> 'cancelled'"
    )
    op.execute("drop index executions_to_look_at, executions_gone_wrong, cues_deleted")

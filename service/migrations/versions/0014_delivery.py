"""Delivery: in which order messages wait, since when each is tried, and how each target answers."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("notice", sa.Column("machine", sa.Text, nullable=False, server_default=""))
    op.add_column("notice", sa.Column("since", sa.BigInteger))
    op.drop_index("notice_by_target", "notice")
    op.drop_index("notice_by_alert", "notice")
    op.create_index("notice_by_state", "notice", ["state", "target", "due"])
    op.create_index("notice_by_alert", "notice", ["alert", "target", "state", "id"])
    op.create_index("notice_by_machine", "notice", ["machine", "target", "state", "id"])
    op.create_table(
        "target_pace",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("next", sa.BigInteger),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failing_since", sa.BigInteger),
        sa.Column("paused_until", sa.BigInteger),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
    )

"""Notices: messages about alerts that wait to be sent, were sent, or cannot be."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("message", sa.Text, nullable=False, unique=True),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("alert", sa.Integer),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("token", sa.Integer, nullable=False, server_default="0"),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("ended", sa.BigInteger),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'dead')", name="notice_state"),
        sqlite_autoincrement=True,
    )
    op.create_index("notice_by_target", "notice", ["target", "state", "id"])
    op.create_index("notice_by_alert", "notice", ["alert", "id"])

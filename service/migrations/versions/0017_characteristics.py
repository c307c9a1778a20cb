"""Characteristics: the control chart of each machine's signals, and how far it was watched."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "characteristic",
        sa.Column("machine", sa.Text, primary_key=True),
        sa.Column("signal", sa.Text, primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("says", sa.Text, nullable=False),
        sa.Column("declared", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("chart", sa.JSON(none_as_null=True)),
        sqlite_with_rowid=False,
    )

"""Late readings: where each watch began, and up to which late readings each model has looked again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("watch", sa.Column("since", sa.BigInteger))
    op.create_table(
        "late_mark",
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
    )

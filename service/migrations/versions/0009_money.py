"""Money: what the loss behind an alert costs an hour."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "alert_money",
        sa.Column("alert", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column(
            "per_hour",
            sa.Float,
            nullable=False,
            comment="what it loses an hour of the clock, in the plant's currency",
        ),
    )

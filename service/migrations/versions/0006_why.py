"""Why: what makes the level of each alert, and what its machine looked like before it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "alert_why",
        sa.Column("alert", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("why", sa.JSON, nullable=False),
    )

"""Filled shares: how much of the expected readings each assessment was built from."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("assessment", sa.Column("filled", sa.Float))
    op.add_column("assessment", sa.Column("thin", sa.JSON(none_as_null=True)))

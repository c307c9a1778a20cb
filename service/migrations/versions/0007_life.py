"""Remaining lives: the hours that a model tells of a machine."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("assessment", sa.Column("life", sa.JSON(none_as_null=True)))

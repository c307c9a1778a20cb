"""Single sign-on: who a user is to the issuer."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("account", sa.Column("subject", sa.Text))
    op.add_column("account", sa.Column("awaits_subject", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("account_by_subject", "account", ["subject"], unique=True)

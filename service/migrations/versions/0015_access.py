"""Access: users with their sessions, links and failed tries to sign in, and keys."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "account",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False, unique=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("reach", sa.JSON),
        sa.Column("password", sa.Text, nullable=False, server_default=""),
        sa.Column("totp", sa.Text, nullable=False, server_default=""),
        sa.Column("totp_step", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("disabled", sa.BigInteger),
        sa.CheckConstraint(
            "role IN ('viewer', 'operator', 'engineer', 'scientist', 'admin')",
            name="account_role",
        ),
        sqlite_autoincrement=True,
    )
    _sessions()
    _keys()
    op.create_table(
        "access_link",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("account", sa.Integer, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("used", sa.BigInteger),
    )
    op.create_index("access_link_by_account", "access_link", ["account"])
    op.create_table(
        "sign_in_try",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
    )
    op.create_index("sign_in_try_by_last", "sign_in_try", ["last"])


def _sessions() -> None:
    op.create_table(
        "session",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("account", sa.Integer, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
    )
    op.create_index("session_by_account", "session", ["account"])


def _keys() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("account", sa.Integer, sa.ForeignKey("account.id")),
        sa.Column("rights", sa.JSON, nullable=False),
        sa.Column("reach", sa.JSON),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("used", sa.BigInteger),
        sa.Column("revoked", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("api_key_by_account", "api_key", ["account"])

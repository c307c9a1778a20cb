"""Calls: whom alerts call, when and why not; what happened before is not called for."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    _calls()
    _budget()
    _decisions()
    # Nobody is called for what happened before anybody was called at all.
    op.execute("INSERT INTO call_mark (id, line) SELECT 1, COALESCE(MAX(id), 0) FROM alert_event")


def _calls() -> None:
    op.create_table(
        "call",
        sa.Column("alert", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger),
        sa.Column("asked", sa.BigInteger),
        sa.Column("worth", sa.Float, nullable=False),
        sa.Column("critical", sa.Boolean, nullable=False),
        sa.Column("first", sa.BigInteger),
        sa.Column("newest", sa.BigInteger),
        sa.Column("rung", sa.Integer, nullable=False),
        sa.Column("lead", sa.Integer),
        sa.Column("told", sa.JSON, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.CheckConstraint("state IN ('grouping', 'held', 'called', 'returning', 'over')", name="call_state"),
    )
    op.create_index("call_by_due", "call", ["due"])
    op.create_index("call_by_group", "call", ["route", "key", "state"])
    op.create_index("call_by_asked", "call", ["route", "asked"])
    op.create_table(
        "call_group",
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger),
        sa.Column("told", sa.BigInteger),
    )
    op.create_index("call_group_by_due", "call_group", ["due"])
    op.create_table(
        "call_route", sa.Column("route", sa.Text, primary_key=True), sa.Column("told", sa.JSON, nullable=False)
    )
    op.create_table(
        "call_mark",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.Column("now", sa.BigInteger),
    )


def _budget() -> None:
    op.create_table(
        "call_token",
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("week", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("token", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("alert", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("worth", sa.Float, nullable=False),
    )
    op.create_index("call_token_by_alert", "call_token", ["alert"])


def _decisions() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("alert", sa.Integer, nullable=False),
        sa.Column("line", sa.BigInteger),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("targets", sa.JSON, nullable=False),
        sa.Column("messages", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("decision_by_alert", "decision", ["alert", "id"])
    op.create_index("decision_by_line", "decision", ["line"])
    op.create_index("decision_by_time", "decision", ["at"])
    op.create_table(
        "stopped_line",
        sa.Column("line", sa.Text, primary_key=True),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )
    op.create_table(
        "digest_sent",
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("shift", sa.Text, primary_key=True),
        sa.Column("ended", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )

"""The first tables: alerts and their history, assessments, watches, the run ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    _assessments()
    _alerts()
    _watches()
    _runs()


def _assessments() -> None:
    op.create_table(
        "assessment",
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("machine", sa.Text, primary_key=True),
        sa.Column("time", sa.BigInteger, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("level", sa.Float),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("threshold", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("raised_at", sa.BigInteger, nullable=False),
        sa.Column("condition_begin", sa.BigInteger, nullable=False),
        sa.Column("condition_end", sa.BigInteger),
        sa.Column("act_before", sa.BigInteger, nullable=False),
        sa.Column("level", sa.Float, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("acknowledged_by", sa.Text, nullable=False, server_default=""),
        sa.Column("acknowledged_at", sa.BigInteger),
        sa.Column("closed_by", sa.Text, nullable=False, server_default=""),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("verdict", sa.Text),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.CheckConstraint(
            "state IN ('unacknowledged', 'acknowledged', 'returned-unacknowledged', 'normal')", name="alert_state"
        ),
        sa.CheckConstraint(
            "verdict IS NULL OR verdict IN ('right', 'wrong', 'not inspected', 'prevented')", name="alert_verdict"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("alert_by_machine", "alert", ["machine", "raised_at"])
    live = sa.text("state <> 'normal'")
    op.create_index(
        "one_open_alert", "alert", ["machine", "cause"], unique=True, sqlite_where=live, postgresql_where=live
    )
    op.create_table(
        "alert_event",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("alert", sa.Integer, sa.ForeignKey("alert.number"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("happening", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
        sa.Column("level", sa.Float, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("alert_event_by_alert", "alert_event", ["alert", "id"])


def _watches() -> None:
    op.create_table(
        "watch",
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("machine", sa.Text, primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("condition", sa.JSON, nullable=False),
        sa.Column("begin", sa.BigInteger),
        sa.Column("alert", sa.Integer, sa.ForeignKey("alert.number")),
    )
    op.create_index("watch_by_alert", "watch", ["alert"])


def _runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("slot", sa.BigInteger, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("token", sa.Integer, nullable=False, server_default="0"),
        sa.Column("worker", sa.Text, nullable=False, server_default=""),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("started", sa.BigInteger),
        sa.Column("ended", sa.BigInteger),
        sa.Column("outcome", sa.Text, nullable=False, server_default=""),
        sa.Column("rows", sa.Integer),
        sa.Column("machines", sa.Integer),
        sa.Column("models", sa.Text, nullable=False, server_default=""),
        sa.Column("cpu_seconds", sa.Float),
        sa.Column("peak_memory", sa.BigInteger),
        sa.Column("log", sa.Text, nullable=False, server_default=""),
        sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'failed', 'skipped')", name="run_state"),
        sa.UniqueConstraint("job", "slot", name="one_run_per_slot"),
        sqlite_autoincrement=True,
    )
    op.create_index("run_by_state", "run", ["state", "slot"])

"""Mutes: alerts that are shelved, suppressed or out of service; and alerts that latch."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_STATES = (
    "state IN ('unacknowledged', 'acknowledged', 'returned-unacknowledged', 'latched-unacknowledged',"
    " 'latched-acknowledged', 'normal')"
)
_OLD = (
    "number, machine, cause, kind, model, version, state, raised_at, condition_begin, condition_end, act_before,"
    " level, sentence, evidence, acknowledged_by, acknowledged_at, closed_by, closed_at, verdict, note"
)


def upgrade() -> None:
    """Go to this revision."""
    if op.get_bind().dialect.name == "sqlite":
        _anew()
    else:
        op.add_column("alert", sa.Column("latches", sa.Boolean, nullable=False, server_default=sa.false()))
        op.drop_constraint("alert_state", "alert", type_="check")
        op.create_check_constraint("alert_state", "alert", _STATES)
    _mutes()
    op.create_table(
        "timer",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
    )


def _anew() -> None:
    """Make the table of alerts anew: SQLite changes no check.

    Its name is taken again before anything is copied back, so that history and watches, which
    refer to it, find their alerts there at the end of the transaction.
    """
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute(f"CREATE TABLE alert_kept AS SELECT {_OLD} FROM alert")  # noqa: S608 – our own names
    op.drop_table("alert")
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
        sa.Column("latches", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.CheckConstraint(_STATES, name="alert_state"),
        sa.CheckConstraint(
            "verdict IS NULL OR verdict IN ('right', 'wrong', 'not inspected', 'prevented')", name="alert_verdict"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("alert_by_machine", "alert", ["machine", "raised_at"])
    live = sa.text("state <> 'normal'")
    op.create_index("one_open_alert", "alert", ["machine", "cause"], unique=True, sqlite_where=live)
    op.execute(f"INSERT INTO alert ({_OLD}) SELECT {_OLD} FROM alert_kept")  # noqa: S608 – our own names
    op.drop_table("alert_kept")


def _mutes() -> None:
    op.create_table(
        "mute",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("once", sa.Boolean, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("ended_by", sa.Text, nullable=False, server_default=""),
        sa.Column("ended_why", sa.Text, nullable=False, server_default=""),
        sa.CheckConstraint("kind IN ('shelved', 'suppressed', 'out of service')", name="mute_kind"),
        sqlite_autoincrement=True,
    )
    lasting = sa.text("ended_at IS NULL")
    op.create_index(
        "one_mute",
        "mute",
        ["kind", "machine", "cause", "rule"],
        unique=True,
        sqlite_where=lasting,
        postgresql_where=lasting,
    )
    op.create_index("mute_by_machine", "mute", ["machine", "since"])

"""Records: the audit trail; who an alert is assigned to, what was found; the floor; work orders."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    _audit()
    op.create_table(
        "floor",
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("below", sa.Boolean, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("right", sa.Integer, nullable=False),
        sa.Column("judged", sa.Integer, nullable=False),
    )
    _work_orders()
    for name in ("assignee", "mode", "mechanism", "root_cause", "action"):
        op.add_column("alert", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.create_index("alert_by_assignee", "alert", ["assignee", "number"])


def _work_orders() -> None:
    op.create_table(
        "work_order",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("alert", sa.Integer, sa.ForeignKey("alert.number"), nullable=False),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("worth", sa.Float, nullable=False),
        sa.Column("act_before", sa.BigInteger, nullable=False),
        sa.Column("drafted_at", sa.BigInteger, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False, server_default=""),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
        sa.Column("handed_at", sa.BigInteger),
        sa.Column("reference", sa.Text, nullable=False, server_default=""),
        sa.Column("status", sa.Text, nullable=False, server_default=""),
        sa.Column("status_at", sa.BigInteger),
        sa.CheckConstraint("state IN ('draft', 'approved', 'refused', 'done')", name="work_order_state"),
        sqlite_autoincrement=True,
    )
    still = sa.text("state IN ('draft', 'approved')")
    op.create_index(
        "one_open_work_order",
        "work_order",
        ["machine", "cause"],
        unique=True,
        sqlite_where=still,
        postgresql_where=still,
    )
    op.create_index("work_order_by_time", "work_order", ["drafted_at"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("chain", sa.Text, nullable=False),
    )
    op.create_index("audit_by_subject", "audit", ["subject", "name", "number"])
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{change.lower()} BEFORE {change} ON audit"
                " BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the audit trail is only added to'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_stays()"
    )

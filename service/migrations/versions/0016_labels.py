"""Labels of alerts; silences among the mutes; what other systems say of the alerts that they posted."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('shelved', 'suppressed', 'out of service', 'silenced')"
_OLD = "id, kind, machine, cause, rule, once, by, why, since, until, ended_at, ended_by, ended_why"
_QUOTED = ", ".join(f'"{each}"' for each in _OLD.split(", "))


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("alert", sa.Column("labels", sa.JSON, nullable=False, server_default=sa.text("'{}'")))
    if op.get_bind().dialect.name == "sqlite":
        _anew()
    else:
        _wider()
    op.create_table(
        "external_alert",
        sa.Column("alert", sa.Integer, sa.ForeignKey("alert.number"), primary_key=True, autoincrement=False),
        sa.Column("annotations", sa.JSON, nullable=False),
        sa.Column("generator_url", sa.Text, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("over", sa.Boolean, nullable=False),
    )
    op.create_index("external_alert_due", "external_alert", ["over", "ends_at"])


def _anew() -> None:
    """Make the table of mutes anew: SQLite changes no check; nothing refers to it."""
    connection = op.get_bind()
    kept = connection.execute(sa.text(f"SELECT {_QUOTED} FROM mute ORDER BY id")).mappings().all()  # noqa: S608
    op.drop_table("mute")
    table = op.create_table(
        "mute",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("uuid", sa.Text, nullable=False, unique=True),
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
        sa.Column("matchers", sa.JSON, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("changed_at", sa.BigInteger),
        sa.CheckConstraint(_KINDS, name="mute_kind"),
        sqlite_autoincrement=True,
    )
    if kept:
        op.bulk_insert(table, [{**each, "once": bool(each["once"]), "uuid": str(uuid4())} for each in kept])
    _one_mute()
    op.create_index("mute_by_machine", "mute", ["machine", "since"])


def _wider() -> None:
    op.add_column("mute", sa.Column("uuid", sa.Text, nullable=True))
    op.execute("UPDATE mute SET uuid = gen_random_uuid()::text")
    op.alter_column("mute", "uuid", nullable=False)
    op.create_unique_constraint("mute_uuid_key", "mute", ["uuid"])
    op.add_column("mute", sa.Column("matchers", sa.JSON, nullable=False, server_default=sa.text("'[]'")))
    op.add_column("mute", sa.Column("changed_at", sa.BigInteger))
    op.drop_constraint("mute_kind", "mute", type_="check")
    op.create_check_constraint("mute_kind", "mute", _KINDS)
    op.drop_index("one_mute", "mute")
    _one_mute()


def _one_mute() -> None:
    lasting = sa.text("ended_at IS NULL AND kind <> 'silenced'")
    op.create_index(
        "one_mute",
        "mute",
        ["kind", "machine", "cause", "rule"],
        unique=True,
        sqlite_where=lasting,
        postgresql_where=lasting,
    )

"""The state database: alerts, assessments, runs; its tables and how it is opened.

One file, ``state.db``, opened through ``ingest.database.Database``. Times are whole microseconds
since 1970 UTC, so that they sort, compare and bulk-insert as numbers; ``Moment`` turns them into
aware ``datetime`` and back.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import Connection, Dialect

from ingest.database import Database, open_database
from ingest.errors import StoreError

NEWEST_REVISION = "0017"
"""Revision of the tables below; the head of ``service/migrations``."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """A point in time: aware ``datetime`` in Python, microseconds since 1970 UTC in the database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn a time into microseconds; a time without a zone is refused."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Turn microseconds into a time in UTC."""
        return None if value is None else _EPOCH + value * _MICROSECOND


def microseconds(moment: datetime) -> int:
    """Return microseconds since 1970 UTC.

    Examples
    --------
    >>> microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (moment - _EPOCH) // _MICROSECOND


metadata = MetaData()


def _names(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


assessment_table = Table(
    "assessment",
    metadata,
    Column("model", Text, primary_key=True),
    Column("machine", Text, primary_key=True),
    Column("time", Moment, primary_key=True),
    Column("version", Text, nullable=False),
    Column("level", Float, comment="null where reason is not ok"),
    Column("reason", Text, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("filled", Float, comment="mean share of the expected readings; null where not known"),
    Column("thin", JSON(none_as_null=True), comment="share of each signal with few readings; null where none has"),
    Column("life", JSON(none_as_null=True), comment="remaining hours at 10, 50 and 90 %; null where none is told"),
    sqlite_with_rowid=False,
)
"""What each model said of each machine at each window end."""

alert_table = Table(
    "alert",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("machine", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("condition_begin", Moment, nullable=False),
    Column("condition_end", Moment),
    Column("act_before", Moment, nullable=False),
    Column("level", Float, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("acknowledged_by", Text, nullable=False, server_default=""),
    Column("acknowledged_at", Moment),
    Column("closed_by", Text, nullable=False, server_default=""),
    Column("closed_at", Moment),
    Column("verdict", Text),
    Column("note", Text, nullable=False, server_default=""),
    Column("latches", Boolean, nullable=False, server_default=false(), comment="only a reset makes it normal"),
    CheckConstraint(
        "state IN ('unacknowledged', 'acknowledged', 'returned-unacknowledged', 'latched-unacknowledged',"
        " 'latched-acknowledged', 'normal')",
        name="alert_state",
    ),
    CheckConstraint(
        "verdict IS NULL OR verdict IN ('right', 'wrong', 'not inspected', 'prevented')", name="alert_verdict"
    ),
    Index("alert_by_machine", "machine", "raised_at"),
    Index(
        "one_open_alert",
        "machine",
        "cause",
        unique=True,
        sqlite_where=text("state <> 'normal'"),
        postgresql_where=text("state <> 'normal'"),
    ),
    sqlite_autoincrement=True,
)
"""Alerts as they stand now; at most one live alert of a machine and cause."""

alert_why_table = Table(
    "alert_why",
    metadata,
    Column("alert", Integer, primary_key=True, autoincrement=False),
    Column("why", JSON, nullable=False),
)
"""What makes the level of each alert, as the model said when it last spoke of it; see ``models.finding.Why``."""

alert_money_table = Table(
    "alert_money",
    metadata,
    Column("alert", Integer, primary_key=True, autoincrement=False),
    Column("per_hour", Float, nullable=False, comment="what it loses an hour of the clock, in the plant's currency"),
)
"""What the loss behind each alert costs, as its finder said when it last spoke of it."""

alert_event_table = Table(
    "alert_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alert", Integer, ForeignKey("alert.number"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("happening", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False, server_default=""),
    Column("level", Float, nullable=False),
    Index("alert_event_by_alert", "alert", "id"),
    sqlite_autoincrement=True,
)
"""What happened to each alert, in order; rows are added, never changed."""

mute_table = Table(
    "mute",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("cause", Text, nullable=False, comment="empty for all causes"),
    Column("rule", Text, nullable=False, comment="which rule suppresses it; empty for what a person did"),
    Column("once", Boolean, nullable=False, comment="shelved until the condition is over"),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=False, comment="when it is over unless somebody ends it before"),
    Column("ended_at", Moment, comment="null while it lasts"),
    Column("ended_by", Text, nullable=False, server_default=""),
    Column("ended_why", Text, nullable=False, server_default=""),
    CheckConstraint("kind IN ('shelved', 'suppressed', 'out of service')", name="mute_kind"),
    Index(
        "one_mute",
        "kind",
        "machine",
        "cause",
        "rule",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("mute_by_machine", "machine", "since"),
    sqlite_autoincrement=True,
)
"""Why nobody is called for alerts of a machine; at most one of each kind and reach at once."""

timer_table = Table(
    "timer",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seen", Moment, nullable=False, comment="newest moment that the timers were held against"),
)
"""One row: a clock that is behind it went back."""

notice_table = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message", Text, nullable=False, unique=True, comment="its name at the receiver, however often it is sent"),
    Column("target", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("alert", Integer, comment="null where it tells of no single alert"),
    Column("body", JSON, nullable=False),
    Column("at", Moment, nullable=False, comment="when it was written"),
    Column("state", Text, nullable=False),
    Column("due", Moment, nullable=False, comment="not tried before"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("token", Integer, nullable=False, server_default="0", comment="fencing: counts the claims"),
    Column("lease_until", Moment, comment="whoever is sending it has until then"),
    Column("ended", Moment, comment="when it was sent or given up"),
    Column("why", Text, nullable=False, server_default="", comment="why the last try failed"),
    CheckConstraint("state IN ('waiting', 'sent', 'dead')", name="notice_state"),
    Index("notice_by_target", "target", "state", "id"),
    Index("notice_by_alert", "alert", "id"),
    sqlite_autoincrement=True,
)
"""The outbox: messages to targets, written in the transaction of what they tell of."""

watch_table = Table(
    "watch",
    metadata,
    Column("model", Text, primary_key=True),
    Column("machine", Text, primary_key=True),
    Column("until", Moment, nullable=False, comment="last window end that was assessed"),
    Column("condition", JSON, nullable=False, comment="models.persistence.Condition"),
    Column("begin", Moment, comment="window end at which the condition became active; null while it is not"),
    Column("alert", Integer, ForeignKey("alert.number"), comment="alert that the condition holds up"),
    Column("since", Moment, comment="where the first round of the machine began; null if nobody knows any more"),
    Index("watch_by_alert", "alert"),
)
"""How far each model has watched each machine, and what it remembers."""

late_mark_table = Table(
    "late_mark",
    metadata,
    Column("model", Text, primary_key=True),
    Column("number", BigInteger, nullable=False, comment="newest entry of the store's list of late rows"),
)
"""Up to which late readings each model has looked again."""

grade_table = Table(
    "grade",
    metadata,
    Column("machine", Text, primary_key=True),
    Column("signal", Text, primary_key=True),
    Column("at", Moment, nullable=False, comment="as of when it was graded"),
    Column("number", Integer, nullable=False, comment="0 to 100"),
    Column("reasons", JSON, nullable=False, comment="codes of faults, the costliest first"),
    Column("says", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""How far each signal could be trusted when it was last graded."""
late_try_table = Table(
    "late_try",
    metadata,
    Column("model", Text, primary_key=True),
    Column("machine", Text, primary_key=True),
    Column("begin", BigInteger, nullable=False, comment="window ends in (begin, end] wait for another try"),
    Column("end", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("given_up", Integer, nullable=False, comment="how often no other try was left"),
    Column("why", Text, nullable=False),
)
"""Windows that late readings touch and that could not be scored again."""

run_table = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job", Text, nullable=False),
    Column("slot", Moment, nullable=False),
    Column("origin", Text, nullable=False, comment="schedule, back-fill or by hand"),
    Column("state", Text, nullable=False),
    Column("token", Integer, nullable=False, server_default="0", comment="fencing: counts the claims"),
    Column("worker", Text, nullable=False, server_default=""),
    Column("lease_until", Moment),
    Column("started", Moment),
    Column("ended", Moment),
    Column("outcome", Text, nullable=False, server_default="", comment="one line for people"),
    Column("rows", Integer),
    Column("machines", Integer),
    Column("models", Text, nullable=False, server_default=""),
    Column("cpu_seconds", Float),
    Column("peak_memory", BigInteger, comment="bytes"),
    Column("log", Text, nullable=False, server_default=""),
    CheckConstraint("state IN ('waiting', 'running', 'done', 'failed', 'skipped')", name="run_state"),
    UniqueConstraint("job", "slot", name="one_run_per_slot"),
    Index("run_by_state", "state", "slot"),
    sqlite_autoincrement=True,
)
"""The ledger: one row for each slot of each job."""


def open_state(path: Path, database: str = "") -> Database:
    """Open the state database, made or brought up to date first.

    Parameters
    ----------
    database : address of a PostgreSQL database that takes the place of the file at ``path``

    Raises
    ------
    StoreError
        If a newer Andon wrote it, or it cannot be read.
    """
    opened = open_database(path, database)
    if _revision(opened) != NEWEST_REVISION:
        with opened.write() as connection:
            _migrate(connection, opened.name)
    return opened


def _revision(database: Database) -> str | None:
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.scalar(select(text("version_num")).select_from(text("alembic_version")))


def _migrate(connection: Connection, name: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    known: set[Any] = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known:
        raise StoreError(
            f"{name}: written by a newer Andon (tables {found}, this one knows up to {NEWEST_REVISION}); "
            "install that version, or use another data folder"
        )
    command.upgrade(config, "head")

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
    Column("assignee", Text, nullable=False, server_default="", comment="who is to look after it; empty for nobody"),
    Column("mode", Text, nullable=False, server_default="", comment="failure mode that was found, after ISO 14224"),
    Column("mechanism", Text, nullable=False, server_default=""),
    Column("root_cause", Text, nullable=False, server_default=""),
    Column("action", Text, nullable=False, server_default=""),
    CheckConstraint(
        "state IN ('unacknowledged', 'acknowledged', 'returned-unacknowledged', 'latched-unacknowledged',"
        " 'latched-acknowledged', 'normal')",
        name="alert_state",
    ),
    CheckConstraint(
        "verdict IS NULL OR verdict IN ('right', 'wrong', 'not inspected', 'prevented')", name="alert_verdict"
    ),
    Index("alert_by_machine", "machine", "raised_at"),
    Index("alert_by_assignee", "assignee", "number"),
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
    Column("machine", Text, nullable=False, server_default="", comment="empty where it tells of no single machine"),
    Column("body", JSON, nullable=False),
    Column("at", Moment, nullable=False, comment="when it was written"),
    Column("state", Text, nullable=False),
    Column("due", Moment, nullable=False, comment="not tried before"),
    Column("since", Moment, comment="when it was first tried, or tried anew by hand"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("token", Integer, nullable=False, server_default="0", comment="fencing: counts the claims"),
    Column("lease_until", Moment, comment="whoever is sending it has until then"),
    Column("ended", Moment, comment="when it was sent or given up"),
    Column("why", Text, nullable=False, server_default="", comment="why the last try failed"),
    CheckConstraint("state IN ('waiting', 'sent', 'dead')", name="notice_state"),
    Index("notice_by_state", "state", "target", "due"),
    Index("notice_by_alert", "alert", "target", "state", "id"),
    Index("notice_by_machine", "machine", "target", "state", "id"),
    sqlite_autoincrement=True,
)
"""The outbox: messages to targets, written in the transaction of what they tell of."""

call_table = Table(
    "call",
    metadata,
    Column("alert", Integer, primary_key=True, autoincrement=False),
    Column("route", Text, primary_key=True),
    Column("key", Text, nullable=False, comment="of its group on the route"),
    Column("state", Text, nullable=False),
    Column("since", Moment, nullable=False, comment="when it began to wait as it does"),
    Column("due", Moment, comment="when to look at it again; null where its group or nothing does"),
    Column("asked", Moment, comment="when it first asked for a token; null while it has not"),
    Column("worth", Float, nullable=False, comment="expected money that calling saves"),
    Column("critical", Boolean, nullable=False),
    Column("first", Moment, comment="when people were first called; null while they were not"),
    Column("newest", Moment, comment="when they were last called"),
    Column("rung", Integer, nullable=False, comment="rungs of the ladder that were called"),
    Column("lead", Integer, comment="the alert whose messages its own are kept in order with"),
    Column("told", JSON, nullable=False, comment="targets that know of it"),
    Column("stage", Text, nullable=False, comment="of its newest decision"),
    Column("reason", Text, nullable=False),
    CheckConstraint("state IN ('grouping', 'held', 'called', 'returning', 'over')", name="call_state"),
    Index("call_by_due", "due"),
    Index("call_by_group", "route", "key", "state"),
    Index("call_by_asked", "route", "asked"),
)
"""Each alert on each of its routes: whether people were called for it, and what it waits for."""

call_group_table = Table(
    "call_group",
    metadata,
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("since", Moment, nullable=False, comment="when its timer was set"),
    Column("due", Moment, comment="when those that wait are told; null while none does"),
    Column("told", Moment, comment="when its newest message was written"),
    Index("call_group_by_due", "due"),
)
"""Alerts of a route that come in one message."""

call_route_table = Table(
    "call_route",
    metadata,
    Column("route", Text, primary_key=True),
    Column("told", JSON, nullable=False, comment="moments of its newest messages, microseconds since 1970"),
)
"""How much each route has been called lately."""

call_token_table = Table(
    "call_token",
    metadata,
    Column("route", Text, primary_key=True),
    Column("week", Moment, primary_key=True, comment="its local begin"),
    Column("token", Integer, primary_key=True, autoincrement=False, comment="1 to the budget"),
    Column("alert", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("worth", Float, nullable=False),
    Index("call_token_by_alert", "alert"),
)
"""The budget: what was spent on which alert; no token of a week is spent twice."""

call_mark_table = Table(
    "call_mark",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("line", BigInteger, nullable=False, comment="newest line of a history that was decided on"),
    Column("now", Moment, comment="newest moment that the timers of calls were held against"),
)
"""One row: how far calls were decided."""

decision_table = Table(
    "decision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alert", Integer, nullable=False),
    Column("line", BigInteger, comment="of the alert's history that it answers; null where a timer asked"),
    Column("at", Moment, nullable=False),
    Column("route", Text, nullable=False, comment="empty where there is none"),
    Column("stage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("until", Moment, comment="when it is looked at again, if nothing happens before"),
    Column("targets", JSON, nullable=False, comment="who was called"),
    Column("messages", JSON, nullable=False, comment="names of the messages to them"),
    Index("decision_by_alert", "alert", "id"),
    Index("decision_by_line", "line"),
    Index("decision_by_time", "at"),
    sqlite_autoincrement=True,
)
"""Why people were called, or not; rows are added, never changed."""

stopped_line_table = Table(
    "stopped_line",
    metadata,
    Column("line", Text, primary_key=True),
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=False, comment="not believed for longer unless a round says so again"),
    Column("why", Text, nullable=False),
)
"""Production lines that stand."""

digest_sent_table = Table(
    "digest_sent",
    metadata,
    Column("route", Text, primary_key=True),
    Column("shift", Text, primary_key=True),
    Column("ended", Moment, primary_key=True),
    Column("at", Moment, nullable=False),
)
"""Digests that were written to the outbox, each once."""
target_pace_table = Table(
    "target_pace",
    metadata,
    Column("target", Text, primary_key=True),
    Column("next", Moment, comment="when the next message is due by the target's rate; null where it has none"),
    Column("failures", Integer, nullable=False, server_default="0", comment="tries that failed since one did not"),
    Column("failing_since", Moment, comment="null while it answers"),
    Column("paused_until", Moment, comment="nothing is sent to it before"),
    Column("why", Text, nullable=False, server_default="", comment="why the last try failed"),
)
"""How each target of messages answers, and how fast it is sent to, whichever process sends."""

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
    Column("due", Moment, comment="not begun before; null for the slot itself"),
    Column("tries", Integer, nullable=False, server_default="0", comment="how often it failed and was tried again"),
    Column("parameters", JSON(none_as_null=True), comment="what was asked for beside the job's own; null for nothing"),
    Column("watt_hours", Float, comment="estimate from the processor's seconds"),
    CheckConstraint("state IN ('waiting', 'running', 'done', 'failed', 'skipped')", name="run_state"),
    UniqueConstraint("job", "slot", name="one_run_per_slot"),
    Index("run_by_state", "state", "slot"),
    sqlite_autoincrement=True,
)
"""The ledger: one row for each slot of each job."""

job_pause_table = Table(
    "job_pause",
    metadata,
    Column("job", Text, primary_key=True),
    Column("since", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
)
"""Jobs whose slots nobody begins until somebody resumes them."""

operational_alarm_table = Table(
    "operational_alarm",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("about", Text, nullable=False, comment="job, machine class, target or folder"),
    Column("sentence", Text, nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("raised_by", Text, nullable=False, comment="process that saw it"),
    Column("seen_at", Moment, nullable=False, comment="when it was last seen to go on"),
    Column("ended_at", Moment, comment="null while it goes on"),
    Index(
        "one_operational_alarm",
        "kind",
        "about",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)
"""What is wrong with Andon itself; at most one alarm of each kind and matter goes on at once."""

watch_look_table = Table(
    "watch_look",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False, comment="process that looked"),
    Column("stepped_at", Moment, comment="when a clock last stepped"),
    Column("step", Float, nullable=False, server_default="0", comment="by how many seconds"),
)
"""One row: when somebody last watched Andon itself."""
floor_table = Table(
    "floor",
    metadata,
    Column("model", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("below", Boolean, nullable=False),
    Column("since", Moment, nullable=False, comment="when it came there, or was back"),
    Column("right", Integer, nullable=False, comment="of the newest verdicts, when it moved"),
    Column("judged", Integer, nullable=False),
)
"""Kinds of alerts whose track record fell so low that they call nobody; a row stays when they are back."""

work_order_table = Table(
    "work_order",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("alert", Integer, ForeignKey("alert.number"), nullable=False),
    Column("machine", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("worth", Float, nullable=False, comment="what it saves on average, in the plant's currency"),
    Column("act_before", Moment, nullable=False),
    Column("drafted_at", Moment, nullable=False),
    Column("decided_by", Text, nullable=False, server_default=""),
    Column("decided_at", Moment),
    Column("why", Text, nullable=False, server_default="", comment="why it was decided so"),
    Column("handed_at", Moment, comment="when it was given to the maintenance system; null before"),
    Column("reference", Text, nullable=False, server_default="", comment="its number in the maintenance system"),
    Column("status", Text, nullable=False, server_default="", comment="in the words of the maintenance system"),
    Column("status_at", Moment),
    CheckConstraint("state IN ('draft', 'approved', 'refused', 'done')", name="work_order_state"),
    Index(
        "one_open_work_order",
        "machine",
        "cause",
        unique=True,
        sqlite_where=text("state IN ('draft', 'approved')"),
        postgresql_where=text("state IN ('draft', 'approved')"),
    ),
    Index("work_order_by_time", "drafted_at"),
    sqlite_autoincrement=True,
)
"""Work orders as they stand; at most one open one of a machine and cause."""

audit_table = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("detail", Text, nullable=False, comment="JSON as it was hashed"),
    Column("chain", Text, nullable=False, comment="SHA-256 over this record and the chain of the one before"),
    Index("audit_by_subject", "subject", "name", "number"),
)
"""The audit trail: every change by person or product; rows are added, never changed, which triggers guard."""


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

"""The state database: how it is opened, and the tables of rounds; every other room has a ``tables`` module of its own.

One file, ``state.db``, opened through ``ingest.database.Database``. Times are whole microseconds
since 1970 UTC, so that they sort, compare and bulk-insert as numbers; ``Moment`` turns them into
aware ``datetime`` and back.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import Connection, Dialect

from ingest.database import Database, open_database
from ingest.errors import StoreError

NEWEST_REVISION = "0018"
"""Revision of all tables; the head of ``service/migrations``."""

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

characteristic_table = Table(
    "characteristic",
    metadata,
    Column("machine", Text, primary_key=True),
    Column("signal", Text, primary_key=True),
    Column("until", Moment, nullable=False, comment="up to which moment its chart was looked at"),
    Column("state", Text, nullable=False, comment="models.efficiency.standing"),
    Column("says", Text, nullable=False),
    Column("declared", Text, nullable=False, comment="how the plant file had it then, as JSON"),
    Column("digest", Text, nullable=False, comment="of the phase I that the chart was learnt from; empty without one"),
    Column("chart", JSON(none_as_null=True), comment="models.efficiency.chart_document; null without one"),
    sqlite_with_rowid=False,
)
"""The control chart of each characteristic, so that it is learnt once."""

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

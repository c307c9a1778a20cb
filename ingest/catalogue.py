"""The tables of ``readings.db``: what lies where, and what happened."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

METADATA = MetaData()

_NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""Numbers of rows. PostgreSQL takes one for each row that it is offered, also where it is known already, as the
signals of each batch are: 32 bits were used up within months."""

POSITIONS = Table(
    "positions",
    METADATA,
    Column("source", String, primary_key=True),
    Column("position", String, primary_key=True),
    Column("note", String, nullable=False, default=""),
    sqlite_with_rowid=False,
)


def _known(name: str) -> Table:
    return Table(
        name,
        METADATA,
        Column("id", _NUMBER, primary_key=True),
        Column("source", String, nullable=False),
        Column("position", String, nullable=False),
        Column("note", String, nullable=False),
        UniqueConstraint("source", "position"),
        sqlite_autoincrement=True,
    )


KNOWN_KEYS, KNOWN_BODIES = _known("known_keys"), _known("known_bodies")

BATCHES = Table(
    "batches",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("source", String, nullable=False),
    Column("position", String, nullable=False),
    Column("machine_class", String, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("cells", BigInteger, nullable=False),
    Column("readings", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("newest", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sum", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

SIGNALS = Table(
    "signals",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("machine_class", String, nullable=False),
    Column("signal", String, nullable=False),
    UniqueConstraint("machine_class", "signal"),
)

UNITS = Table(
    "units",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("machine_class", String, nullable=False),
    Column("signal", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("at", BigInteger, nullable=False),
)
"""The unit in which each signal is stored, as it was declared from a time on; the newest row counts."""

SPANS = Table(
    "spans",
    METADATA,
    Column("machine_class", String, primary_key=True),
    Column("machine", String, primary_key=True),
    Column("first", BigInteger, nullable=False),
    Column("newest", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

SEGMENTS = Table(
    "segments",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("machine_class", String, nullable=False, index=True),
    Column("path", String, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("readings", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("newest", BigInteger, nullable=False),
    Column("sums", LargeBinary, nullable=False),
    UniqueConstraint("machine_class", "path"),
)

LAKE = Table(
    "lake",
    METADATA,
    Column("mark", String, primary_key=True),
    Column("place", String, nullable=False),
)
"""Where the segments lie, if not in a folder, and the mark that lies beside them; one row at most."""

FORMAT = Table("format", METADATA, Column("number", Integer, nullable=False))
"""Which format the tables are of, see ``ingest.tables``; one row."""

SETTLED = Table(
    "settled",
    METADATA,
    Column("machine_class", String, primary_key=True),
    Column("machine", String, primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("allowance", BigInteger, nullable=False),
    Column("late", BigInteger, nullable=False, default=0),
    Column("too_late", BigInteger, nullable=False, default=0),
    Index("settled_until", "machine_class", "until"),
    sqlite_with_rowid=False,
)
"""Up to when each machine's readings have been used, how late more may come, and how many rows came so."""

SUSPECTS = Table(
    "suspects",
    METADATA,
    Column("batch", _NUMBER, primary_key=True, autoincrement=False),
    Column("settled", String, nullable=False),
)
"""Batches of the log that may hold late rows, with what was settled when they arrived."""

LATE = Table(
    "late",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("machine_class", String, nullable=False),
    Column("too_late", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
"""Rows that came late and brought something, in the order in which they were sealed."""

CORRECTIONS = Table(
    "corrections",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("machine_class", String, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("newest", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("sum", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
"""Values that a later arrival took the place of."""

TURNED_AWAY = Table(
    "turned_away",
    METADATA,
    Column("source", String, primary_key=True),
    Column("position", String, primary_key=True),
    Column("machine", String, primary_key=True),
    Column("signal", String, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("why", String, primary_key=True),
    Column("cells", BigInteger, nullable=False),
    Index("turned_away_day", "day"),
    sqlite_with_rowid=False,
)
"""How many cells of each signal and day could not be used; see ``ingest.turned_away``."""

REPEATED = Table(
    "repeated",
    METADATA,
    Column("machine", String, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("rows", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""How many rows of each machine and day came again and brought nothing new."""

EVENTS = Table(
    "events",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("machine", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("end", BigInteger),
    Column("component", String, nullable=False),
    Column("code", String, nullable=False),
    Column("value", Float),
    Column("note", String, nullable=False),
    Column("source", String, nullable=False),
    UniqueConstraint("machine", "kind", "time", "component", "code"),
    Index("events_time", "time"),
)

REJECTS = Table(
    "rejects",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("source", String, nullable=False),
    Column("position", String, nullable=False),
    Column("line", Integer, nullable=False),
    Column("column", String, nullable=False),
    Column("value", String, nullable=False),
    Column("reason", String, nullable=False),
    UniqueConstraint("source", "position", "line", "column", "value", "reason"),
)

DEAD_LETTERS = Table(
    "dead_letters",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("source", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("head", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("reason", String, nullable=False),
    Column("arrived", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("bytes", BigInteger, nullable=False),
    Column("digest", String, nullable=False, unique=True),
    Index("dead_letters_source", "source", "id"),
    sqlite_autoincrement=True,
)

DEAD_LETTER_COUNTS = Table(
    "dead_letter_counts",
    METADATA,
    Column("source", String, primary_key=True),
    *(
        Column(name, BigInteger, nullable=False, default=0)
        for name in ("held", "bytes", "kept", "dropped", "discarded", "replayed")
    ),
    sqlite_with_rowid=False,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(moment: datetime) -> int:
    """Return microseconds since 1970 of an aware time.

    Examples
    --------
    >>> to_microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """Return the UTC time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)

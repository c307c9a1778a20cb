"""The tables of the watchdog: operational alarms, and who looked last."""

from sqlalchemy import Column, Float, Index, Integer, Table, Text, text

from service.database import Moment, metadata

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

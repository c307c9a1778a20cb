"""The tables of calls: whom each alert called, what it waits for, and why."""

from sqlalchemy import JSON, BigInteger, Boolean, CheckConstraint, Column, Float, Index, Integer, Table, Text

from service.database import Moment, metadata

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

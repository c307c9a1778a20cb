"""The tables of alerts: how they stand, what happened to them, and what keeps people from being called."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    false,
    text,
)

from service.database import Moment, metadata

OPEN = "state <> 'normal'"
"""What the index of open alerts holds; a query finds it by the same words."""

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
    Column("labels", JSON, nullable=False, server_default=text("'{}'"), comment="fixed when it was raised"),
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
        sqlite_where=text(OPEN),
        postgresql_where=text(OPEN),
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
    Column("uuid", Text, nullable=False, unique=True, comment="what other systems call it"),
    Column("kind", Text, nullable=False),
    Column("machine", Text, nullable=False, comment="empty for a silence whose matchers name none, or several"),
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
    Column("matchers", JSON, nullable=False, server_default=text("'[]'"), comment="of a silence"),
    Column("changed_at", Moment, comment="when a person last changed it; null if nobody has"),
    CheckConstraint("kind IN ('shelved', 'suppressed', 'out of service', 'silenced')", name="mute_kind"),
    Index(
        "one_mute",
        "kind",
        "machine",
        "cause",
        "rule",
        unique=True,
        sqlite_where=text("ended_at IS NULL AND kind <> 'silenced'"),
        postgresql_where=text("ended_at IS NULL AND kind <> 'silenced'"),
    ),
    Index("mute_by_machine", "machine", "since"),
    sqlite_autoincrement=True,
)
"""Why nobody is called for alerts; at most one of each kind and reach at once, but for silences."""

external_alert_table = Table(
    "external_alert",
    metadata,
    Column("alert", Integer, ForeignKey("alert.number"), primary_key=True, autoincrement=False),
    Column("annotations", JSON, nullable=False),
    Column("generator_url", Text, nullable=False),
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False, comment="when it is over unless it is posted again, or was over"),
    Column("updated_at", Moment, nullable=False, comment="when it was last posted"),
    Column("by", Text, nullable=False, comment="who posted it last"),
    Column("over", Boolean, nullable=False, comment="whether it is over for whoever posted it"),
    Index("external_alert_due", "over", "ends_at"),
)
"""What other systems said of the alerts that they posted, newest words only."""

timer_table = Table(
    "timer",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seen", Moment, nullable=False, comment="newest moment that the timers were held against"),
)
"""One row: a clock that is behind it went back."""

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

"""The tables of delivery: the outbox, and how targets answer."""

from sqlalchemy import JSON, CheckConstraint, Column, Index, Integer, Table, Text

from service.database import Moment, metadata

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

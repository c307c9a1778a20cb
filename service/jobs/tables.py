"""The tables of jobs: the ledger of runs, and what is paused."""

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Float, Index, Integer, Table, Text, UniqueConstraint

from service.database import Moment, metadata

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

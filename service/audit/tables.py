"""The table of the audit trail."""

from sqlalchemy import Column, Index, Integer, Table, Text

from service.database import Moment, metadata

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

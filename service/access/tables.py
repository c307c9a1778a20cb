"""The tables of access: users, their sessions, links and failed tries; keys."""

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, false

from service.access.role import Role
from service.database import Moment, metadata

account_table = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False, unique=True, comment="the name without case: one user each"),
    Column("role", Text, nullable=False),
    Column("reach", JSON(none_as_null=True), comment="service.access.reach.Reach; null is the whole plant"),
    Column("password", Text, nullable=False, server_default="", comment="Argon2id; empty until one is set"),
    Column("totp", Text, nullable=False, server_default="", comment="secret of the second factor; empty without"),
    Column("totp_step", Integer, nullable=False, server_default="0", comment="newest step whose code was used"),
    Column("created", Moment, nullable=False),
    Column("disabled", Moment),
    Column("subject", Text, comment="issuer and subject of single sign-on; null without"),
    Column("awaits_subject", Boolean, nullable=False, server_default=false(), comment="comes in by an issuer next"),
    Index("account_by_subject", "subject", unique=True),
    CheckConstraint("role IN (" + ", ".join(f"'{each.value}'" for each in Role) + ")", name="account_role"),
    sqlite_autoincrement=True,
)
"""Users; none is ever removed, so that a name in a history stays one person's."""

session_table = Table(
    "session",
    metadata,
    Column("digest", Text, primary_key=True, comment="SHA-256 of what the cookie holds"),
    Column("account", Integer, ForeignKey("account.id"), nullable=False),
    Column("created", Moment, nullable=False),
    Column("seen", Moment, nullable=False, comment="written every few minutes"),
    Column("until", Moment, nullable=False, comment="over then, however busy it is"),
    Column("address", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Index("session_by_account", "account"),
)
"""Sessions that are not over; the row is the session."""

key_table = Table(
    "api_key",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False, comment="its first letters, for people to tell keys apart"),
    Column("digest", Text, nullable=False, unique=True, comment="SHA-256 of the key"),
    Column("account", Integer, ForeignKey("account.id"), comment="whose it is; null is the plant's own"),
    Column("rights", JSON, nullable=False),
    Column("reach", JSON(none_as_null=True), comment="null is the whole plant; that of its user where there is one"),
    Column("made_by", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("used", Moment, comment="written once an hour at most"),
    Column("revoked", Moment),
    Index("api_key_by_account", "account"),
    sqlite_autoincrement=True,
)
"""Keys of programs."""

link_table = Table(
    "access_link",
    metadata,
    Column("digest", Text, primary_key=True, comment="SHA-256 of what the link holds"),
    Column("account", Integer, ForeignKey("account.id"), nullable=False),
    Column("created", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("used", Moment),
    Index("access_link_by_account", "account"),
)
"""One-time links by which a user sets a password."""

try_table = Table(
    "sign_in_try",
    metadata,
    Column("subject", Text, primary_key=True, comment="a name or an address, with its kind before it"),
    Column("tries", Integer, nullable=False, comment="that failed, or are under way, in a row"),
    Column("last", Moment, nullable=False),
    Index("sign_in_try_by_last", "last"),
)
"""Tries to sign in that failed lately."""

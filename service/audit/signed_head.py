"""The signed head: how far the trail was, in a file beside the database, where an editor of its table does not reach.

Without it a trail could be cut off at its end, and what is left would still be whole. The file has one line:
count, chain, the time of the newest record, and the public key and signature of who vouches for it. It is
written anew every few seconds while the trail grows, and only where the trail still holds what it vouched for
before: so a trail that was cut or written anew is never signed by accident.
"""

import os
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkstemp
from typing import Self

from sqlalchemy import select
from sqlalchemy.engine import Connection

from ingest.database import Database
from ingest.durable import sync_folder
from ingest.errors import AuditError
from models.registry.signing import Keys
from service.audit.record import ANDON, Entry, Subject
from service.audit.tables import audit_table
from service.audit.trail import Head, append, head, newest_of

_PURPOSE = b"andon audit head\n"
_LINE = re.compile(r"(\d{1,18}) ([0-9a-f]{64}) (\S{1,40}) ([0-9a-f]{64}) ([0-9a-f]{128})\n?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WAY_OUT = "'andon audit verify' says more; 'andon audit sign --why …' vouches for what is there now"


@dataclass(frozen=True, slots=True)
class SignedHead:
    """How far a trail was at some time, and who vouches for it.

    Attributes
    ----------
    at : time of the newest record
    signature : public key and signature, as they are written
    """

    head: Head
    at: datetime
    signature: bytes

    @classmethod
    def read(cls, line: str) -> Self:
        """Read a line that was kept; ``AuditError`` if it is none."""
        written = _LINE.fullmatch(line)
        at = None if written is None else _time(written[3])
        if written is None or at is None:
            raise AuditError(
                f"{line[:60]!r} is no signed head; it has count, chain, time, key and signature, as 'andon audit head'"
                " prints them"
            )
        return cls(Head(int(written[1]), written[2]), at, f"{written[4]} {written[5]}\n".encode())

    @property
    def line(self) -> str:
        """The line to keep elsewhere."""
        return f"{_signed(self.head, self.at).decode()} {self.signature.decode().strip()}"

    @property
    def key(self) -> str:
        """The public key of who vouches for it."""
        return self.signature.partition(b" ")[0].decode()

    def refusal(self, keys: Keys) -> str:
        """Return why nobody vouches for it; empty when somebody does whose key is trusted."""
        return replace(keys, purpose=_PURPOSE).refusal(_signed(self.head, self.at), self.signature)


@dataclass(frozen=True, slots=True)
class Seal:
    """Signs the heads of one trail.

    Attributes
    ----------
    path : the file that holds the newest one
    keys : who signs, and whose signatures count
    """

    path: Path
    keys: Keys

    def kept(self) -> SignedHead | None:
        """Return what the file vouches for, or ``None`` where there is none.

        Raises
        ------
        AuditError
            If it was altered, or nobody who is trusted signed it.
        """
        try:
            text = self.path.read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return None
        found = SignedHead.read(text)
        if why := found.refusal(self.keys):
            raise AuditError(f"{self.path}: {why}; {_WAY_OUT}")
        return found

    def keep(self, state: Database) -> SignedHead | None:
        """Vouch for the trail as far as it is now; write nothing where the file does already.

        Raises
        ------
        AuditError
            If the trail does not hold what was vouched for before, or the file is gone that there was.
        """
        with state.read() as connection:
            now, kept = head(connection), self.kept()
            if now == (Head() if kept is None else kept.head):
                return kept
        return self._vouch(state)

    def _vouch(self, state: Database) -> SignedHead:
        with state.write() as connection:
            kept = self.kept()
            if against := self.hindrance(connection, kept):
                raise AuditError(f"{against}; {_WAY_OUT}")
            signed = self._write(connection)
            if newest_of(connection, Subject.TRAIL, signed.key) is not None:
                return signed
            why = "this key vouches for the trail from here on"
            self._begin(connection, signed, at=signed.at, by=ANDON, why=why)
        return self._vouch(state)

    def anew(self, state: Database, *, at: datetime, by: str, why: str) -> SignedHead:
        """Vouch for the trail as it is; who did so, why, and what stood against it is kept."""
        with state.write() as connection:
            try:
                against = self.hindrance(connection, self.kept())
            except AuditError as error:
                against = str(error)
            self._begin(connection, self._write(connection), at=at, by=by, why=why, against=against)
        return self._vouch(state)

    def hindrance(self, connection: Connection, kept: SignedHead | None) -> str:
        """Return why the trail is not the one that was vouched for; empty when it is."""
        if kept is None:
            own = self.keys.own()
            before = None if own is None else newest_of(connection, Subject.TRAIL, own)
            if before is None:
                return ""
            return f"{self.path} is gone, which vouched for the trail since record {before.number}"
        return reaches(connection, kept.head)

    def _begin(
        self, connection: Connection, signed: SignedHead, *, at: datetime, by: str, why: str, against: str = ""
    ) -> None:
        """Write down that a key vouches for the trail: from now on its file must be there."""
        detail = {"against": against}
        begun = Entry(at=at, by=by, subject=Subject.TRAIL, name=signed.key, what="signed", why=why, detail=detail)
        append(connection, [begun])

    def _write(self, connection: Connection) -> SignedHead:
        """Vouch for what is there already: whatever this transaction adds may still not come about."""
        now, at = head(connection), _newest_time(connection)
        # Signing makes the key where there is none yet.
        signed = SignedHead(now, at, replace(self.keys, purpose=_PURPOSE).sign(_signed(now, at)))
        try:
            handle, beside = mkstemp(dir=self.path.parent, prefix=f".{self.path.name}-")
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{signed.line}\n")
                file.flush()
                os.fsync(handle)
            Path(beside).replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise AuditError(f"{self.path}: cannot be written ({error.strerror or error})") from error
        return signed


def reaches(connection: Connection, wanted: Head) -> str:
    """Return why a trail does not reach a head that it once had; empty when it does."""
    if wanted == Head():
        return ""
    row = audit_table.c.number == wanted.count
    chain = connection.execute(select(audit_table.c.chain).where(row)).scalar_one_or_none()
    if chain == wanted.chain:
        return ""
    if chain is not None:
        return f"record {wanted.count} is another than the one that was vouched for: the trail was written anew"
    return (
        f"the trail ends at record {head(connection).count}, and {wanted.count} were vouched for: its end was cut off"
    )


def _newest_time(connection: Connection) -> datetime:
    newest = select(audit_table.c.at).order_by(audit_table.c.number.desc()).limit(1)
    try:
        return connection.execute(newest).scalar_one_or_none() or _EPOCH
    except (TypeError, OverflowError) as error:
        raise AuditError(f"the newest record has no time: it was altered; {_WAY_OUT}") from error


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _signed(now: Head, at: datetime) -> bytes:
    return f"{now.count} {now.chain} {at.isoformat()}".encode()

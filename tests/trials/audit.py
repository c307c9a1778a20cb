"""Attacks on the audit trail, all of which have to be found: ``python -m tests.trials.audit --records 100000``.

A trail of so many records is written and signed. Then its table is attacked at random places: fields edited, records
deleted, put in, swapped, the numbers closed up again, the end cut off, everything from one record on written anew with
chains that fit. After each attack the trail is read, and put back as it was.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import Connection

from ingest.database import Database
from models.registry.signing import Keys
from service.audit.record import Entry, Subject
from service.audit.signed_head import Seal
from service.audit.trail import append
from service.audit.verify import verify
from service.database import open_state

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
Attack = Callable[[Connection, int], None]


class PutBackError(Exception):
    """Ends an attack without a trace."""


def fill(connection: Connection, count: int) -> None:
    """Write so many records of jobs, no two of them alike."""
    same = {"subject": Subject.JOB, "name": "score", "what": "run now"}
    append(
        connection,
        [
            Entry(at=NOW + timedelta(seconds=each), by=f"p{each % 7}", why=f"w{each}", detail={"n": each}, **same)  # type: ignore[arg-type]
            for each in range(count)
        ],
    )


def fill_often(path: Path, database: str, times: int) -> None:
    """Write two records in each of so many transactions; what a process of many does."""
    with closing(open_state(path, database)) as state:
        for _ in range(times):
            with state.write() as connection:
                fill(connection, 2)


def unguarded(connection: Connection) -> None:
    """Take away the triggers that guard the table, as somebody would who wants to change it."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        return
    for each in ("update", "delete"):
        connection.execute(text(f"DROP TRIGGER IF EXISTS audit_no_{each}"))


def _run(statement: str) -> Attack:
    def attack(connection: Connection, place: int) -> None:
        connection.execute(text(statement), {"n": place})

    return attack


def _swap(connection: Connection, place: int) -> None:
    for old, new in ((place, -1), (place + 1, place), (-1, place + 1)):
        connection.execute(text("UPDATE audit SET number = :new WHERE number = :old"), {"old": old, "new": new})


def _close_up(connection: Connection, place: int) -> None:
    connection.execute(text("DELETE FROM audit WHERE number = :n"), {"n": place})
    connection.execute(text("UPDATE audit SET number = -number WHERE number > :n"), {"n": place})
    connection.execute(text("UPDATE audit SET number = -number - 1 WHERE number < 0"))


def _put_in(connection: Connection, place: int) -> None:
    connection.execute(text("UPDATE audit SET number = -number WHERE number > :n"), {"n": place})
    connection.execute(text("UPDATE audit SET number = 1 - number WHERE number < 0"))
    columns = "at, by, subject, name, what, why, detail, chain"
    again = f"INSERT INTO audit (number, {columns}) SELECT number + 1, {columns} FROM audit WHERE number = :n"  # noqa: S608
    connection.execute(text(again), {"n": place})


def _written_anew(connection: Connection, place: int) -> None:
    """Alter one record and make all chains from it on anew, as somebody does who has read how they are made."""
    names = "number, at, by, subject, name, what, why, detail"
    rows = connection.execute(text(f"SELECT {names} FROM audit WHERE number >= :n ORDER BY number"), {"n": place}).all()  # noqa: S608
    connection.execute(text("DELETE FROM audit WHERE number >= :n"), {"n": place})
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    append(
        connection,
        [
            Entry(
                at=epoch + timedelta(microseconds=row.at),
                by="Eve" if row.number == place else row.by,
                subject=Subject(row.subject),
                name=row.name,
                what=row.what,
                why=row.why,
            )
            for row in rows
        ],
    )


ATTACKS: Mapping[str, Attack] = {
    "another time": _run("UPDATE audit SET at = at + 1 WHERE number = :n"),
    "another person": _run("UPDATE audit SET by = 'Eve' WHERE number = :n"),
    "another subject": _run("UPDATE audit SET subject = 'alert' WHERE number = :n"),
    "another name": _run("UPDATE audit SET name = name || ' ' WHERE number = :n"),
    "another deed": _run("UPDATE audit SET what = 'closed' WHERE number = :n"),
    "another reason": _run("UPDATE audit SET why = '' WHERE number = :n"),
    "other details": _run("UPDATE audit SET detail = detail || ' ' WHERE number = :n"),
    "another chain": _run("UPDATE audit SET chain = '00' || substr(chain, 3) || '' WHERE number = :n"),
    "no chain at all": _run("UPDATE audit SET chain = 'x' WHERE number = :n"),
    "a word moved from one field to the next": _run("UPDATE audit SET what = what || why, why = '' WHERE number = :n"),
    "deleted": _run("DELETE FROM audit WHERE number = :n"),
    "deleted and closed up": _close_up,
    "two swapped": _swap,
    "one put in": _put_in,
    "one put before the first": _run("UPDATE audit SET number = 0 WHERE number = :n"),
    "one put behind the last": _run("UPDATE audit SET number = 2000000000 WHERE number = :n"),
    "the end cut off": _run("DELETE FROM audit WHERE number > :n"),
    "everything deleted": _run("DELETE FROM audit WHERE :n = :n"),
    "written anew from there on": _written_anew,
}
"""What somebody can do to the table at a record, who cannot write the signed head."""


def main() -> None:
    """Attack as often as wished; ends with 1 at the first attack that is not found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--attacks", type=int, default=2 * len(ATTACKS))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)  # noqa: S311 – a trial
    with tempfile.TemporaryDirectory() as name, closing(open_state(Path(name) / "state.db")) as state:
        seal = Seal(Path(name) / "audit.head", Keys(Path(name) / "audit.key"))
        began = time.perf_counter()
        with state.write() as connection:
            fill(connection, arguments.records)
        wrote = time.perf_counter() - began
        seal.keep(state)
        began = time.perf_counter()
        with state.read() as connection:
            faults = verify(connection, seal).faults
        read = time.perf_counter() - began
        if faults:
            sys.exit(f"a trail that nobody touched: {faults}")
        sys.stdout.write(f"{arguments.records:,} records: written in {wrote:.1f} s, read in {read:.1f} s\n")
        for turn in range(arguments.attacks):
            attack = list(ATTACKS)[turn % len(ATTACKS)]
            place = chance.randrange(1, arguments.records)
            found = attacked(state, seal, ATTACKS[attack], place)
            if not found:
                sys.exit(f"not found: {attack} at record {place:,}")
            sys.stdout.write(f"{attack} at {place:,}: {found[0]}\n")
    sys.stdout.write(f"all {arguments.attacks} attacks found\n")


def attacked(state: Database, seal: Seal, attack: Attack, place: int) -> tuple[str, ...]:
    """Return what is found after an attack; all is as before then."""
    found: tuple[str, ...] = ()
    with suppress(PutBackError), state.write() as connection:
        unguarded(connection)
        attack(connection, place)
        found = verify(connection, seal).faults
        raise PutBackError
    return found


if __name__ == "__main__":
    main()

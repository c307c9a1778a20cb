"""How far each model has looked at late readings, and which machines' it could not score again so far."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from sqlalchemy import delete, func, select
from sqlalchemy.engine import Connection

from ingest.statement import insert_into
from service.database import late_mark_table, late_try_table

MOST_TRIES = 5
"""After so many rounds in vain the windows of a machine keep what was said of them before."""


@dataclass(frozen=True, slots=True)
class Tries:
    """What one model could not score again of one machine.

    Attributes
    ----------
    begin, end : the window ends in (begin, end] wait for another try, in microseconds since 1970; equal
        if none does
    tries : how often it was tried, in vain
    given_up : how often it was tried for the last time, ever
    why : what the newest try said
    """

    begin: int = 0
    end: int = 0
    tries: int = 0
    given_up: int = 0
    why: str = ""

    @property
    def waiting(self) -> list[tuple[int, int]]:
        """The span that waits for another try, if any does."""
        return [(self.begin, self.end)] if self.begin < self.end else []

    def failed(self, spans: Iterable[tuple[int, int]], why: str) -> "Tries":
        """Return what stands after these spans could not be scored, either."""
        begins, ends = zip(*spans, strict=True)
        if self.tries + 1 >= MOST_TRIES:
            return Tries(given_up=self.given_up + 1, why=why)
        return Tries(min(begins), max(ends), self.tries + 1, self.given_up, why)

    def done(self) -> "Tries":
        """Return what stands after nothing waits any more."""
        return Tries(given_up=self.given_up, why=self.why if self.given_up else "")


@dataclass(frozen=True, slots=True)
class LateLooks:
    """Up to where one model has looked.

    Attributes
    ----------
    mark : number of the newest entry of the list of late rows that it has looked at; ``None`` if it never looked
    tries : of each machine of which something could not be scored again
    """

    mark: int | None = None
    tries: Mapping[str, Tries] = field(default_factory=dict)


def late_looks(connection: Connection, model: str) -> LateLooks:
    """Return up to where a model has looked."""
    mark = connection.execute(select(late_mark_table.c.number).where(late_mark_table.c.model == model)).scalar()
    columns = late_try_table.c
    query = select(columns.machine, columns.begin, columns.end, columns.tries, columns.given_up, columns.why)
    rows = connection.execute(query.where(columns.model == model))
    return LateLooks(mark, {machine: Tries(*values) for machine, *values in map(tuple, rows)})


def keep_late_looks(connection: Connection, model: str, looks: LateLooks) -> None:
    """Remember this in place of what was before."""
    statement = insert_into(connection, late_mark_table).values(model=model, number=looks.mark)
    connection.execute(statement.on_conflict_do_update(index_elements=["model"], set_={"number": looks.mark}))
    connection.execute(delete(late_try_table).where(late_try_table.c.model == model))
    rows = [{"model": model, "machine": machine, **asdict(each)} for machine, each in looks.tries.items()]
    if rows:
        connection.execute(late_try_table.insert(), rows)


def oldest_mark(connection: Connection, models: Iterable[str]) -> int | None:
    """Return the number up to which all of these models that ever looked have looked; ``None`` if none did."""
    named = late_mark_table.c.model.in_([*models])
    return connection.execute(select(func.min(late_mark_table.c.number)).where(named)).scalar()


def given_up(connection: Connection) -> dict[str, int]:
    """Return how often each model gave late readings of a machine up."""
    totals = select(late_try_table.c.model, func.sum(late_try_table.c.given_up)).group_by(late_try_table.c.model)
    return {model: int(count) for model, count in sorted(map(tuple, connection.execute(totals))) if count}

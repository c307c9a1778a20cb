"""The floor: what is almost never right calls nobody; its alerts are told in the digest.

A kind of alerts of a model is below the floor once that is sure: once the upper bound of the 95 % interval of its share
of right ones is lower than ``FLOOR``. The lower bound would put what is new and hardly judged there, too. It is back
once the upper bound is at ``BACK`` again: between the two it stays where it is, so no verdict moves it to and fro.
Only the newest verdicts count: a model that was bad last year may be another one by now.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.engine import Connection

from models.judging.interval import Interval, wilson
from service.alerts.alert import Verdict
from service.alerts.tables import alert_table, floor_table
from service.audit.record import ANDON, Entry, Subject
from service.audit.trail import append

FLOOR = 0.3
"""Fewer right ones than three in ten, and people stop to look."""

BACK = 0.45
NEWEST = 30
"""So many verdicts of a model and kind count, the newest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Whether a kind of alerts of a model is below the floor.

    Attributes
    ----------
    since : when it came there, or was back
    right, judged : the newest verdicts on which that was decided
    """

    model: str
    kind: str
    below: bool
    since: datetime
    right: int
    judged: int

    @property
    def sentence(self) -> str:
        """Why it is where it is, in words."""
        share = wilson(self.right, self.judged)
        where = f"below {FLOOR:.0%} for sure" if self.below else f"{BACK:.0%} cannot be ruled out again"
        return f"right {self.right} of the newest {self.judged}, at most {share.high:.0%}: {where}".replace("%", " %")


def moved(share: Interval, *, below: bool) -> bool:
    """Return whether a kind is below the floor now, given whether it was.

    Examples
    --------
    >>> [moved(wilson(right, 20), below=False) for right in (0, 1, 2, 3)]
    [True, True, False, False]
    >>> [moved(wilson(right, 20), below=True) for right in (3, 4, 5, 6)]
    [True, True, False, False]
    """
    return share.high < (BACK if below else FLOOR)


def below_floor(connection: Connection, model: str, kind: str) -> bool:
    """Return whether alerts of this model and kind go to the digest rather than to people."""
    row = _row(connection, model, kind)
    return row is not None and row.below


def floors(connection: Connection, *, below: bool | None = None) -> list[Floor]:
    """Return every kind that ever was below the floor, or those that are, by model and kind."""
    query = select(floor_table).order_by(floor_table.c.model, floor_table.c.kind)
    if below is not None:
        query = query.where(floor_table.c.below == below)
    return [Floor(**dict(row._mapping)) for row in connection.execute(query)]


def settle(connection: Connection, model: str, kind: str, *, at: datetime) -> bool:
    """Decide anew after a verdict, and write down where it moved; return whether it is below the floor."""
    row = _row(connection, model, kind)
    before = row is not None and row.below
    right, judged = _newest(connection, model, kind)
    below = moved(wilson(right, judged), below=before)
    if below == before:
        return below
    floor = Floor(model=model, kind=kind, below=below, since=at, right=right, judged=judged)
    values = {"below": below, "since": at, "right": right, "judged": judged}
    if row is None:
        connection.execute(insert(floor_table).values(model=model, kind=kind, **values))
    else:
        mine = (floor_table.c.model == model) & (floor_table.c.kind == kind)
        connection.execute(update(floor_table).where(mine).values(**values))
    what = "below the floor" if below else "back above the floor"
    entry = Entry(
        at=at, by=ANDON, subject=Subject.FLOOR, name=f"{model}: {kind}", what=what, why=floor.sentence, detail={}
    )
    append(connection, [entry])
    return below


def _row(connection: Connection, model: str, kind: str) -> Row[Any] | None:
    mine = (floor_table.c.model == model) & (floor_table.c.kind == kind)
    return connection.execute(select(floor_table).where(mine)).one_or_none()


def _newest(connection: Connection, model: str, kind: str) -> tuple[int, int]:
    column = alert_table.c
    counts = [Verdict.RIGHT.value, Verdict.PREVENTED.value, Verdict.WRONG.value]
    query = select(column.verdict).where(column.model == model, column.kind == kind, column.verdict.in_(counts))
    verdicts = connection.execute(query.order_by(column.closed_at.desc(), column.number.desc()).limit(NEWEST)).scalars()
    newest = list(verdicts)
    return sum(each != Verdict.WRONG for each in newest), len(newest)

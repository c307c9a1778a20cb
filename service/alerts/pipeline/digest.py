"""The digest of a shift: what people were called for, what was held back and why, and all that was quiet.

Nothing falls through: each watch of a machine by a model is raised, suppressed or below its threshold if it was scored
at all, and each alert that began was called or held back for one reason.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from ingest.statement import pieces
from service.alerts.pipeline.call import Reason
from service.alerts.pipeline.duty import Worked
from service.alerts.pipeline.rules import Rules
from service.alerts.pipeline.tables import call_table, decision_table
from service.alerts.pipeline.tokens import purse_of
from service.alerts.tables import alert_table
from service.database import assessment_table

NOT_CONFIRMED = "over its threshold, and not often enough to be an alert"
"""Why a watch is suppressed whose level was over the threshold while it held up no alert."""
NOT_DECIDED = "not decided yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What became of the watches of machines by models; raised + suppressed + below_threshold = scored.

    Attributes
    ----------
    raised : people were called about what they saw
    suppressed : by the reason why nobody was
    not_scored : by the reason why they said nothing
    """

    scored: int
    raised: int
    suppressed: Mapping[str, int]
    below_threshold: int
    not_scored: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An alert of the shift.

    Attributes
    ----------
    reason : why nobody was called; empty where somebody was
    worth : what a call about it is expected to save; ``None`` where it never came to that
    """

    number: int
    machine: str
    cause: str
    kind: str
    state: str
    sentence: str
    reason: str
    words: str
    worth: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """The budget of a route in the week of the shift's end, and what was critical on top of it."""

    route: str
    budget: int
    spent: int
    critical: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What happened in a shift; raised = called + held_back."""

    shift: Worked
    watched: Watched
    raised: int
    called: Sequence[Line]
    held_back: Mapping[str, int]
    held: Sequence[Line]
    budgets: Sequence[Spent]

    def to_dict(self) -> dict[str, Any]:
        """Return it for programs, times in ISO 8601."""
        shift = {"name": self.shift.shift, "begin": self.shift.begin.isoformat(), "end": self.shift.end.isoformat()}
        return asdict(self) | {"kind": "digest", "shift": shift}


def digest_of(connection: Connection, rules: Rules, shift: Worked) -> Digest:
    """Return the digest of a shift, (begin, end]: what was known at its end."""
    alert = alert_table.c
    begun = select(alert_table).where(alert.raised_at > shift.begin, alert.raised_at <= shift.end)
    rows = connection.execute(begun.order_by(alert.number)).all()
    why = _why(connection, [row.number for row in rows], shift)
    worths = _worths(connection, [row.number for row in rows])
    lines = [
        Line(
            **{name: getattr(row, name) for name in ("number", "machine", "cause", "kind", "state", "sentence")},
            reason=why[row.number][0],
            words=why[row.number][1],
            worth=worths.get(row.number),
        )
        for row in rows
    ]
    held = [each for each in lines if each.reason]
    return Digest(
        shift=shift,
        watched=_watched(connection, shift),
        raised=len(lines),
        called=[each for each in lines if not each.reason],
        held_back=dict(Counter(each.reason for each in held)),
        held=sorted(held, key=lambda each: (-(each.worth or 0.0), each.number)),
        budgets=_budgets(connection, rules, shift),
    )


def _why(connection: Connection, numbers: Sequence[int], shift: Worked) -> dict[int, tuple[str, str]]:
    """Return why nobody was called about each alert by the end of the shift; empty texts where somebody was."""
    found = dict.fromkeys(numbers, (NOT_DECIDED, "the next look at the timers decides"))
    called = set()
    decision = decision_table.c
    for some in pieces(numbers):
        query = select(decision.alert, decision.reason, decision.words).order_by(decision.id)
        for row in connection.execute(query.where(decision.alert.in_(some), decision.at <= shift.end)):
            if row.reason == Reason.CALLED.value:
                called.add(row.alert)
            elif row.reason != Reason.NO_NEWS.value:
                found[row.alert] = (row.reason, row.words)
    return found | dict.fromkeys(called, ("", ""))


def _worths(connection: Connection, numbers: Sequence[int]) -> dict[int, float]:
    call = call_table.c
    queries = (select(call.alert, call.worth).where(call.alert.in_(some)) for some in pieces(numbers))
    return {row.alert: row.worth for query in queries for row in connection.execute(query)}


def _watched(connection: Connection, shift: Worked) -> Watched:
    said = assessment_table.c
    within = (said.time > shift.begin, said.time <= shift.end)
    over = func.max(said.level - said.threshold).label("over")
    query = select(said.model, said.machine, func.count(said.level).label("levels"), over)
    rows = connection.execute(query.where(*within).group_by(said.model, said.machine)).all()
    scored = [row for row in rows if row.levels]
    loud = [(row.model, row.machine) for row in scored if row.over >= 0]
    outcomes = _outcomes(connection, shift, loud)
    silent = {(row.model, row.machine) for row in rows if not row.levels}
    newest = select(said.model, said.machine, said.reason).where(*within, said.level.is_(None)).order_by(said.time)
    unsaid = {(row.model, row.machine): row.reason for row in connection.execute(newest)} if silent else {}
    return Watched(
        scored=len(scored),
        raised=sum(not each for each in outcomes),
        suppressed=dict(Counter(each for each in outcomes if each)),
        below_threshold=len(scored) - len(loud),
        not_scored=dict(Counter(unsaid[each] for each in silent)),
    )


def _outcomes(connection: Connection, shift: Worked, loud: Iterable[tuple[str, str]]) -> list[str]:
    """Return why nobody was called about what each of these watches saw; empty where somebody was."""
    alert = alert_table.c
    lasted = alert.condition_end.is_(None) | (alert.condition_end > shift.begin)
    query = select(alert.number, alert.model, alert.machine).where(alert.raised_at <= shift.end, lasted)
    by_watch: dict[tuple[str, str], list[int]] = {}
    for row in connection.execute(query):
        by_watch.setdefault((row.model, row.machine), []).append(row.number)
    wanted = [(each, by_watch.get(each, [])) for each in loud]
    why = _why(connection, sorted({number for _, numbers in wanted for number in numbers}), shift)
    reasons = [[why[number][0] for number in numbers] for _, numbers in wanted]
    return ["" if "" in each else each[-1] if each else NOT_CONFIRMED for each in reasons]


def _budgets(connection: Connection, rules: Rules, shift: Worked) -> list[Spent]:
    spent = []
    for route in rules.plant.routes:
        purse = purse_of(connection, rules, route, shift.end)
        call = call_table.c
        critical = select(func.count()).where(
            call.route == route.name, call.critical, call.first >= purse.week, call.first < purse.ends
        )
        spent.append(
            Spent(
                route=route.name,
                budget=purse.budget,
                spent=purse.spent,
                critical=connection.execute(critical).scalar_one(),
            )
        )
    return spent

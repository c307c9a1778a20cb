"""The book of alerts: what people and the monitor may do to them, and finding them again.

Every function works inside the caller's transaction: ``with state.write() as connection`` for those
that change something, ``state.read()`` for the rest. Each change adds a line to the alert's history.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.engine import Connection

from ingest.errors import UnknownNameError
from ingest.statement import insert_into
from models.finding import Evidence, Finding
from service.alerts.alert import LIVE_STATES, OVER_STATES, Alert, AlertEvent, AlertState, Happening, Verdict
from service.alerts.floor import settle
from service.alerts.found import Found
from service.alerts.kept_money import keep_money
from service.alerts.kept_why import keep_why
from service.alerts.labels import Labels, own_labels
from service.alerts.line import remember
from service.alerts.mute import MuteKind
from service.alerts.mutes import beginning, end, lasting, muted
from service.alerts.shelving import ENDS_ONE_SHOT
from service.alerts.tables import OPEN, alert_event_table, alert_table
from service.audit.record import ANDON

NOTHING_FOUND = Found()
_COLUMNS = tuple(column.name for column in alert_table.c)

MATERIAL_CHANGE = 0.1
"""A level that moved by this much since the history last spoke of it is worth a line."""


def raise_alert(
    connection: Connection,
    finding: Finding,
    *,
    at: datetime,
    latches: bool = False,
    places: Labels = MappingProxyType({}),
    labels: Labels | None = None,
) -> tuple[Alert, bool]:
    """Open an alert for a finding, or bring the open one of this machine and cause up to date.

    Parameters
    ----------
    latches : whether an alert that is opened now stays until somebody resets it
    places : labels that say where the machine is, see ``service.alerts.labels.places_of``
    labels : of an alert that is opened now, where they are not those of ours

    Returns
    -------
    the alert as it stands now, and whether it was opened by this call

    Notes
    -----
    However many callers raise the same matter at once, the database's partial unique index lets
    one through; the others meet the open alert. A returned alert goes back to unacknowledged.
    """
    inserted = connection.execute(
        insert_into(connection, alert_table)
        .values(
            state=AlertState.UNACKNOWLEDGED,
            raised_at=at,
            condition_begin=finding.begin,
            machine=finding.machine,
            cause=finding.cause,
            kind=finding.kind,
            latches=latches,
            labels=dict(labels or own_labels(finding.kind, finding.machine, finding.cause, places)),
            **_words(finding),
        )
        .on_conflict_do_nothing(
            index_elements=["machine", "cause"],
            # No parameter: PostgreSQL finds no index for one once it has prepared the statement, at the sixth alert.
            index_where=text(OPEN),
        )
        .returning(alert_table.c.number)
    ).scalar_one_or_none()
    if inserted is not None:
        alert = show(connection, inserted)
        keep_why(connection, alert.number, finding.why)
        keep_money(connection, alert.number, finding.money_per_hour)
        remember(connection, [inserted], Happening.RAISED, at=at, by=ANDON)
        for each in muted(connection, [alert], at)[0].mutes:
            remember(connection, [inserted], beginning(each), at=at, by=each.by, why=each.why)
        return alert, True
    number = connection.execute(
        select(alert_table.c.number).where(
            alert_table.c.machine == finding.machine,
            alert_table.c.cause == finding.cause,
            text(OPEN),
        )
    ).scalar_one()
    return _bring_up_to_date(connection, show(connection, number), finding, at=at), False


def condition_over(
    connection: Connection, number: int, *, at: datetime, end: datetime | None = None, why: str = ""
) -> Alert:
    """Record that the condition behind an alert is over.

    Parameters
    ----------
    end : window end at which it was over; ``at`` when left out
    why : the reason, where it is another than that the levels fell
    """
    changes = {"condition_end": end or at}
    return _happen(connection, number, Happening.CONDITION_OVER, at=at, by=ANDON, why=why, changes=changes)


def acknowledge(connection: Connection, number: int, *, by: str, at: datetime, note: str = "") -> Alert:
    """Record that a person has seen the alert and answers for it.

    Raises
    ------
    UnknownNameError
        If there is no such alert.
    IllegalTransitionError
        If it was acknowledged before, or is normal.
    """
    changes = {"acknowledged_by": by, "acknowledged_at": at}
    return _happen(connection, number, Happening.ACKNOWLEDGED, at=at, by=by, why=note, changes=changes)


def reset(connection: Connection, number: int, *, by: str, at: datetime, note: str = "") -> Alert:
    """Let an alert that latched become normal, now that its condition is over and somebody has seen it.

    Raises
    ------
    UnknownNameError
        If there is no such alert.
    IllegalTransitionError
        If it is in another state.
    """
    return _happen(connection, number, Happening.RESET, at=at, by=by, why=note)


def close(
    connection: Connection,
    number: int,
    *,
    verdict: Verdict,
    by: str,
    at: datetime,
    note: str = "",
    found: Found = NOTHING_FOUND,
) -> Alert:
    """Close an alert with a verdict, and with what was found; its record is kept.

    Raises
    ------
    UnknownNameError
        If there is no such alert.
    IllegalTransitionError
        If it has a verdict already, or is latched and not reset.
    """
    verdict = Verdict(verdict)
    why = ", ".join(filter(None, (verdict.value, found.words))) + (f": {note}" if note else "")
    changes = {"verdict": verdict, "closed_by": by, "closed_at": at, "note": note, **asdict(found)}
    alert = _happen(connection, number, Happening.CLOSED, at=at, by=by, why=why, changes=changes)
    settle(connection, alert.model, alert.kind, at=at)
    return alert


def comment(connection: Connection, number: int, *, by: str, at: datetime, text: str) -> Alert:
    """Add a remark to an alert's history; possible in every state."""
    return _happen(connection, number, Happening.COMMENT, at=at, by=by, why=text)


def show(connection: Connection, number: int) -> Alert:
    """Return one alert.

    Raises
    ------
    UnknownNameError
        If there is no such alert.
    """
    row = connection.execute(select(alert_table).where(alert_table.c.number == number)).one_or_none()
    if row is None:
        raise UnknownNameError(f"no alert {number}; 'andon alerts' lists them")
    return _alert(row)


def show_many(connection: Connection, numbers: Sequence[int]) -> list[Alert]:
    """Return those of these alerts that there are, by their numbers."""
    query = select(alert_table).where(alert_table.c.number.in_(numbers)).order_by(alert_table.c.number)
    return [_alert(row) for row in connection.execute(query)]


def find_muted(connection: Connection, number: int, at: datetime) -> Alert:
    """Return one alert with the mutes that reach it at a moment; ``UnknownNameError`` if there is none."""
    return muted(connection, [show(connection, number)], at)[0]


def history(
    connection: Connection, number: int, *, offset: int = 0, limit: int | None = None, newest_first: bool = False
) -> list[AlertEvent]:
    """Return what happened to an alert, oldest first: everything, or at most ``limit`` lines from ``offset`` on."""
    line = alert_event_table.c.id
    query = select(alert_event_table).where(alert_event_table.c.alert == number)
    query = query.order_by(line.desc() if newest_first else line).offset(offset).limit(limit)
    return [
        AlertEvent(
            alert=row.alert,
            at=row.at,
            happening=Happening(row.happening),
            state=AlertState(row.state),
            by=row.by,
            why=row.why,
            level=row.level,
        )
        for row in connection.execute(query)
    ]


def list_alerts(
    connection: Connection,
    *,
    states: Sequence[AlertState] = LIVE_STATES,
    machine: str | None = None,
    machines: Collection[str] | None = None,
    kind: str | None = None,
    assignee: str | None = None,
    before: int | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[Alert]:
    """Return alerts, newest first.

    Parameters
    ----------
    states : only alerts in these states; the open ones when left out, ``tuple(AlertState)`` for all
    machine, kind : only of this machine, and of this kind
    machines : only of these machines
    assignee : only of this person; the empty text for those of nobody
    before : only alerts whose number is lower: the last number of the page before
    offset : how many to skip
    limit : at most so many
    """
    query, order = select(alert_table), alert_table.c.number.desc()
    if set(states) != set(AlertState):
        query = query.where(alert_table.c.state.in_([AlertState(state).value for state in states]))
    if AlertState.NORMAL not in states:
        # By an expression: in the order of its key SQLite would look through all that ever were.
        query, order = query.where(text(OPEN)), (alert_table.c.number + 0).desc()
    if machine is not None:
        query = query.where(alert_table.c.machine == machine)
    if machines is not None:
        query = query.where(alert_table.c.machine.in_(machines))
    if kind is not None:
        query = query.where(alert_table.c.kind == kind)
    if assignee is not None:
        query = query.where(alert_table.c.assignee == assignee)
    if before is not None:
        query = query.where(alert_table.c.number < before)
    query = query.order_by(order).offset(offset).limit(limit)
    return [_alert(row) for row in connection.execute(query)]


def open_at(connection: Connection, moment: datetime) -> list[Alert]:
    """Return the alerts that were open at a moment, newest first, as their history knows them.

    State and level are those of then. The sentence tells the numbers of today, so an alert that went
    on since then has none.
    """
    line = alert_event_table.c
    of_it = select(func.max(line.id)).where(line.alert == alert_table.c.number).correlate(alert_table)
    then, newest = of_it.where(line.at <= moment).scalar_subquery(), of_it.scalar_subquery()
    query = (
        select(alert_table, line.state.label("state_then"), line.level.label("level_then"), newest.label("newest"))
        .add_columns(line.id.label("then"))
        .join(alert_event_table, line.id == then)
        .where(line.state != AlertState.NORMAL.value)
        .order_by(alert_table.c.number.desc())
    )
    return [
        replace(
            _alert(row),
            state=AlertState(row.state_then),
            level=row.level_then if row.newest > row.then else row.level,
            sentence="" if row.newest > row.then else row.sentence,
        )
        for row in connection.execute(query)
    ]


def count_raised(connection: Connection, start: datetime, end: datetime) -> int:
    """Return how many alerts were raised in (start, end]."""
    raised = alert_table.c.raised_at
    return connection.execute(select(func.count()).where(raised > start, raised <= end)).scalar_one()


def list_closed(connection: Connection, start: datetime, end: datetime, *, limit: int) -> list[Alert]:
    """Return alerts that somebody closed in (start, end], newest first, at most so many."""
    closed = alert_table.c.closed_at
    query = select(alert_table).where(closed > start, closed <= end).order_by(alert_table.c.number.desc()).limit(limit)
    return [_alert(row) for row in connection.execute(query)]


def _happen(
    connection: Connection,
    number: int,
    happening: Happening,
    *,
    at: datetime,
    by: str,
    why: str = "",
    changes: dict[str, Any] | None = None,
) -> Alert:
    state = show(connection, number).after(happening)
    connection.execute(update(alert_table).where(alert_table.c.number == number).values(state=state, **(changes or {})))
    remember(connection, [number], happening, at=at, by=by, why=why)
    alert = show(connection, number)
    if happening in ENDS_ONE_SHOT:
        # Whatever clock a round stands for: one that began after it is over, too.
        for each in lasting(connection, MuteKind.SHELVED):
            if each.once and each.reaches(alert.machine, alert.cause, alert.labels):
                end(connection, each, at=max(at, each.since), by=ANDON, why=happening.value)
    return alert


def _bring_up_to_date(connection: Connection, alert: Alert, finding: Finding, *, at: datetime) -> Alert:
    words = _words(finding)
    if alert.state in OVER_STATES:
        keep_why(connection, alert.number, finding.why)
        keep_money(connection, alert.number, finding.money_per_hour)
        words |= {"condition_end": None}
        return _happen(connection, alert.number, Happening.CONDITION_BACK, at=at, by=ANDON, changes=words)
    if finding.model != alert.model and finding.level <= alert.level:
        return alert
    connection.execute(update(alert_table).where(alert_table.c.number == alert.number).values(**words))
    keep_why(connection, alert.number, finding.why)
    keep_money(connection, alert.number, finding.money_per_hour)
    fresh = show(connection, alert.number)
    told = _last_told(connection, alert.number)
    if finding.model != alert.model:
        why = f"now by {finding.model}, was {alert.model}"
        remember(connection, [alert.number], Happening.CHANGED, at=at, by=ANDON, why=why)
    elif abs(finding.level - told) >= MATERIAL_CHANGE:
        why = f"level {finding.level:.2f}, was {told:.2f}"
        remember(connection, [alert.number], Happening.CHANGED, at=at, by=ANDON, why=why)
    return fresh


def _words(finding: Finding) -> dict[str, Any]:
    return {
        "model": finding.model,
        "version": finding.version,
        "level": finding.level,
        "act_before": finding.act_before,
        "sentence": finding.sentence,
        "evidence": [asdict(each) for each in finding.evidence],
    }


def _last_told(connection: Connection, number: int) -> float:
    query = select(alert_event_table.c.level).where(alert_event_table.c.alert == number)
    return connection.execute(query.order_by(alert_event_table.c.id.desc()).limit(1)).scalar_one()


def _alert(row: Row[Any]) -> Alert:
    # By place: what a row offers by name is looked up anew for each row.
    fields = dict(zip(_COLUMNS, row, strict=False))
    fields["state"] = AlertState(fields["state"])
    fields["verdict"] = None if fields["verdict"] is None else Verdict(fields["verdict"])
    # Alerts from before labels were kept have those that need no plant file.
    fields["labels"] = fields["labels"] or own_labels(fields["kind"], fields["machine"], fields["cause"], {})
    fields["evidence"] = tuple([Evidence(**each) for each in fields["evidence"]])
    return Alert(**fields)

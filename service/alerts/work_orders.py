"""The book of work orders: draft them for alerts that are worth it, decide on them, and hear what became of them.

Every function works inside the caller's transaction, and each change is a record in the audit trail.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.engine import Connection

from ingest.errors import UnknownNameError
from ingest.plant import Costs
from ingest.statement import insert_into
from service.alerts.chance import expected_saving
from service.alerts.rank import Ranked
from service.alerts.tables import work_order_table
from service.alerts.work_order import Deed, WorkOrder, WorkOrderState
from service.audit.record import ANDON, Entry, Subject
from service.audit.trail import append

WEEK = timedelta(days=7)
OPEN = (WorkOrderState.DRAFT, WorkOrderState.APPROVED)


def draft(
    connection: Connection, ranked: Sequence[Ranked], costs: Costs, *, most_a_week: int, at: datetime
) -> list[WorkOrder]:
    """Draft work orders for alerts that are worth it, until there are as many as a week may have.

    Those that people are not called for get none, nor do those of which nobody measured how likely they are right,
    those whose machine and cause have an open one, and an alert that had one before: what a person refused is not
    drafted again.

    Parameters
    ----------
    ranked : open alerts in the order in which to look at them; the first ones get what is left of the week
    most_a_week : no seven days have more
    """
    since = select(func.count()).where(work_order_table.c.drafted_at > at - WEEK)
    left = most_a_week - connection.execute(since).scalar_one()
    had = set(connection.execute(select(work_order_table.c.alert)).scalars())
    drafted: list[WorkOrder] = []
    for each in ranked:
        if len(drafted) >= left:
            break
        share = each.chance.share
        value = 0.0 if share is None else expected_saving(share, costs)
        if each.alert.mutes or each.alert.number in had or value <= 0:
            continue
        number = _insert(connection, each, value, at)
        if number is not None:
            order = show(connection, number)
            _record(connection, order, "drafted", by=ANDON, why=each.why, at=at)
            drafted.append(order)
    return drafted


def decide(
    connection: Connection, number: int, deed: Deed, *, by: str, at: datetime, why: str = "", title: str = ""
) -> WorkOrder:
    """Approve or refuse a work order.

    Parameters
    ----------
    title : what it is to say in place of what was drafted; kept as it is when empty

    Raises
    ------
    UnknownNameError
        If there is no such work order.
    IllegalTransitionError
        If it does not stand so that this can be done.
    """
    order = show(connection, number)
    values = {"state": order.after(deed).value, "decided_by": by, "decided_at": at, "why": why}
    changed = _change(connection, number, values | {"title": title or order.title})
    _record(connection, changed, deed.value, by=by, why=why, at=at)
    return changed


def report(
    connection: Connection, number: int, *, status: str, at: datetime, reference: str = "", done: bool = False, by: str
) -> WorkOrder:
    """Keep what the maintenance system says of an approved work order; the same twice changes nothing.

    Raises
    ------
    UnknownNameError
        If there is no such work order.
    IllegalTransitionError
        If nobody approved it.
    """
    order = show(connection, number)
    same = order.status == status and reference in ("", order.reference)
    if same and done == (order.state is WorkOrderState.DONE):
        return order
    order.after(Deed.DONE)
    state = WorkOrderState.DONE if done else order.state
    values = {"status": status, "status_at": at, "reference": reference or order.reference, "state": state.value}
    changed = _change(connection, number, values)
    _record(connection, changed, "done" if done else "status", by=by, why=status, at=at)
    return changed


def handed(connection: Connection, number: int, *, at: datetime) -> None:
    """Write down that the maintenance system was given a work order."""
    _record(connection, _change(connection, number, {"handed_at": at}), "handed over", by=ANDON, why="", at=at)


def show(connection: Connection, number: int) -> WorkOrder:
    """Return one work order; ``UnknownNameError`` if there is none."""
    row = connection.execute(select(work_order_table).where(work_order_table.c.number == number)).one_or_none()
    if row is None:
        raise UnknownNameError(f"no work order {number}; 'andon work-orders' lists them")
    return _order(row)


def list_orders(
    connection: Connection,
    *,
    states: Sequence[WorkOrderState] = tuple(WorkOrderState),
    machines: Collection[str] | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[WorkOrder]:
    """Return work orders (of some machines), newest first."""
    query = select(work_order_table).where(work_order_table.c.state.in_([each.value for each in states]))
    if machines is not None:
        query = query.where(work_order_table.c.machine.in_(machines))
    query = query.order_by(work_order_table.c.number.desc()).offset(offset).limit(limit)
    return [_order(row) for row in connection.execute(query)]


def _insert(connection: Connection, ranked: Ranked, value: float, at: datetime) -> int | None:
    """Return the number of a new draft, or ``None`` where its machine and cause have an open one."""
    alert = ranked.alert
    statement = insert_into(connection, work_order_table).values(
        alert=alert.number,
        machine=alert.machine,
        cause=alert.cause,
        state=WorkOrderState.DRAFT.value,
        title=alert.sentence or f"{alert.machine}: {alert.cause}",
        worth=round(value, 2),
        act_before=alert.act_before,
        drafted_at=at,
    )
    # The database judges, and in no words: an index is recognised by its own ones only.
    returned = statement.on_conflict_do_nothing().returning(work_order_table.c.number)
    return connection.execute(returned).scalar_one_or_none()


def _change(connection: Connection, number: int, values: dict[str, Any]) -> WorkOrder:
    connection.execute(update(work_order_table).where(work_order_table.c.number == number).values(**values))
    return show(connection, number)


def _record(connection: Connection, order: WorkOrder, what: str, *, by: str, why: str, at: datetime) -> None:
    detail = {
        "alert": order.alert,
        "machine": order.machine,
        "cause": order.cause,
        "state": order.state.value,
        "title": order.title,
        "reference": order.reference,
    }
    name = str(order.number)
    append(
        connection,
        [Entry(at=at, by=by, subject=Subject.WORK_ORDER, name=name, what=what, why=why, detail=detail)],
    )


def _order(row: Row[Any]) -> WorkOrder:
    return WorkOrder(**dict(row._mapping) | {"state": WorkOrderState(row.state)})

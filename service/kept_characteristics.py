"""Characteristics as they were looked at last: how each stands, and the chart that was learnt for it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, select
from sqlalchemy.engine import Connection

from ingest.statement import insert_into, pieces
from models.efficiency.standing import Standing
from service.database import characteristic_table

if TYPE_CHECKING:
    from models.efficiency.characteristic import Watched


@dataclass(frozen=True, slots=True)
class KeptCharacteristic:
    """How one characteristic of one machine stood when it was looked at last.

    Attributes
    ----------
    until : up to when it was looked at
    says : in one line
    digest, chart : the chart that was learnt, see ``models.efficiency.chart_document``; empty and ``None`` without one
    """

    machine: str
    signal: str
    until: datetime
    state: Standing
    says: str
    digest: str
    chart: dict[str, Any] | None

    @property
    def charts(self) -> dict[str, dict[str, Any]]:
        """The chart by what names it; empty without one."""
        return {} if self.chart is None else {self.digest: self.chart}


def kept_characteristics(
    connection: Connection, machines: Collection[str]
) -> dict[tuple[str, str], KeptCharacteristic]:
    """Return what is kept of some machines, by machine and signal."""
    found: dict[tuple[str, str], KeptCharacteristic] = {}
    for some in pieces(list(machines)):
        query = select(characteristic_table).where(characteristic_table.c.machine.in_(some))
        found |= {(row.machine, row.signal): _kept(row) for row in connection.execute(query)}
    return found


def keep_characteristic(connection: Connection, watched: "Watched", until: datetime) -> None:
    """Keep how a characteristic stands, in place of what was kept before."""
    learnt = watched.learnt
    row = {
        "machine": watched.machine,
        "signal": watched.characteristic.signal,
        "until": until,
        "state": watched.state,
        "says": watched.says,
        "digest": "" if learnt is None else learnt.digest,
        "chart": None if learnt is None else learnt.to_dict(),
    }
    statement = insert_into(connection, characteristic_table)
    anew = {name: statement.excluded[name] for name in row if name not in ("machine", "signal")}
    connection.execute(statement.on_conflict_do_update(index_elements=["machine", "signal"], set_=anew), [row])


def _kept(row: Row[Any]) -> KeptCharacteristic:
    return KeptCharacteristic(row.machine, row.signal, row.until, row.state, row.says, row.digest, row.chart)

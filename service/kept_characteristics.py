"""Characteristics as they were looked at last: how each stands, and the chart that was learnt for it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, select
from sqlalchemy.engine import Connection

from ingest.plant_characteristic import Characteristic
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
    declared : how the plant file had it then, see ``declared_as``
    digest, chart : the chart that was learnt, see ``models.efficiency.chart_document``; empty and ``None`` without one
    """

    machine: str
    signal: str
    until: datetime
    state: Standing
    says: str
    declared: str
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
        "declared": declared_as(watched.characteristic),
        "digest": "" if learnt is None else learnt.digest,
        "chart": None if learnt is None else learnt.to_dict(),
    }
    _keep(connection, row)


def keep_no_chart(
    connection: Connection, machine: str, characteristic: Characteristic, until: datetime, why: str
) -> None:
    """Keep why a characteristic has no chart, in place of what was kept before."""
    row = {"machine": machine, "signal": characteristic.signal, "until": until, "state": "no chart", "says": why}
    _keep(connection, {**row, "declared": declared_as(characteristic), "digest": "", "chart": None})


def declared_as(characteristic: Characteristic) -> str:
    """Return a characteristic of the plant file as a text that differs where it was changed."""
    return characteristic.model_dump_json()


def _keep(connection: Connection, row: dict[str, Any]) -> None:
    statement = insert_into(connection, characteristic_table)
    anew = {name: statement.excluded[name] for name in row if name not in ("machine", "signal")}
    connection.execute(statement.on_conflict_do_update(index_elements=["machine", "signal"], set_=anew), [row])


def _kept(row: Row[Any]) -> KeptCharacteristic:
    return KeptCharacteristic(**row._mapping)

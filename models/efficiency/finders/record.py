"""The record that finders read: what one machine did and made, shift by shift, up to the end of a whole one."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.microsecond import HOUR, moment, time_of
from features.production.bucket import BUSY, RUNS
from features.production.ledger import PIECES, ledger_of
from features.production.parts import parts_of
from features.production.plant_ledger import read_told
from features.production.rates import hour_value
from ingest.history import History
from ingest.plant import Plant

Floats = NDArray[np.float64]
_KNOWN = 0.5


@dataclass(frozen=True)
class Record:
    """What one machine did and made in a span.

    Attributes
    ----------
    shifts : one row for each shift that the machine was planned in and of which half or more is known, or each calendar
        day where the plant declares no shifts: ``begin`` and ``stop`` in microseconds, ``shift`` and ``day``
    parts : as ``parts_of``, planned time only, with ``at``: the place of its shift in ``shifts``
    made : one row for each shift and product with ``at``, ``product``, ``ideal`` (hours a piece, 0 where not known),
        ``busy`` and ``running`` hours, ``good``, ``scrap``, ``rework`` and ``produced`` pieces
    hour_value : what an hour of running earns; ``None`` where nobody said
    """

    plant: Plant
    machine: str
    shifts: pd.DataFrame
    parts: pd.DataFrame
    made: pd.DataFrame
    hour_value: float | None

    def begin(self, at: int) -> datetime:
        """Return when a shift began."""
        return time_of(int(self.shifts["begin"].iloc[at]))

    def stop(self, at: int) -> datetime:
        """Return when a shift ended."""
        return time_of(int(self.shifts["stop"].iloc[at]))

    def clock_hours(self, first: int) -> float:
        """Return the hours of the clock from the begin of a shift to the end of the newest."""
        return (self.stop(len(self.shifts) - 1) - self.begin(first)).total_seconds() / 3600

    def per_shift(self, column: str) -> Floats:
        """Return a column of ``made``, summed over products, shape (n_shifts,)."""
        return self.summed(self.made, column)

    def with_product(self, product: str, column: str) -> Floats:
        """Return the same with one product alone; with all of them where it is empty."""
        return self.summed(self.made[self.made["product"] == product] if product else self.made, column)

    def summed(self, rows: pd.DataFrame, column: str) -> Floats:
        """Return a column of rows that have an ``at``, summed for each shift, shape (n_shifts,)."""
        weights = rows[column].to_numpy(float)
        return np.bincount(rows["at"], weights=weights, minlength=len(self.shifts)).astype(float)

    def worth(self, hours: Floats | float, product: str) -> float | None:
        """Return what lost hours of running would have earned with a product; ``None`` where nobody knows."""
        if self.hour_value is not None:
            return float(np.sum(hours)) * self.hour_value
        ideal = self.ideal(product)
        value = next((each.value for each in self.plant.products if each.name == product), None)
        return None if value is None or not ideal else float(np.sum(hours)) / ideal * value

    def ideal(self, product: str) -> float:
        """Return the ideal cycle time of a product in hours; 0 where it is not known."""
        known = self.made["ideal"][self.made["product"] == product]
        return float(known.iloc[0]) if len(known) else 0.0


def record_of(plant: Plant, history: History, machine: str, start: datetime, stop: datetime) -> Record:
    """Return the record of a machine in [start, stop).

    Parameters
    ----------
    stop : the end of a shift, so that no shift is cut there
    """
    told, _ = read_told(plant, history, machine, start, stop)
    span = moment(start), moment(stop)
    parts = parts_of(plant, machine, told, *span)
    table = ledger_of(plant, machine, told, *span).table
    parts = _known(parts[parts["did"] != "not_planned"])
    keys = ["shift_day", "shift"]
    shifts = parts.groupby(keys, as_index=False, sort=False).agg(begin=("begin", "min"), stop=("stop", "max"))
    shifts = shifts.sort_values("begin", kind="stable", ignore_index=True).rename(columns={"shift_day": "day"})
    place = {key: at for at, key in enumerate(zip(shifts["day"], shifts["shift"], strict=True))}
    parts["at"] = [place[key] for key in zip(parts["shift_day"], parts["shift"], strict=True)]
    return Record(plant, machine, shifts, parts, _made(table, place), hour_value(plant, machine))


def _known(parts: pd.DataFrame) -> pd.DataFrame:
    """Return the parts of shifts of which most is known: silence is neither usual nor a loss."""
    lengths = parts["stop"] - parts["begin"]
    keys = [parts["shift_day"], parts["shift"]]
    told = lengths.where(parts["did"] != "unknown", 0).groupby(keys).transform("sum")
    return parts[told >= _KNOWN * lengths.groupby(keys).transform("sum")].reset_index(drop=True)


def _made(table: pd.DataFrame, place: dict[tuple[object, object], int]) -> pd.DataFrame:
    rows = [key in place for key in zip(table["shift_day"], table["shift"], strict=True)]
    own = table[np.array(rows, np.bool_)]
    found = pd.DataFrame(
        {
            "at": [place[key] for key in zip(own["shift_day"], own["shift"], strict=True)],
            "product": own["product"],
            "ideal": own["ideal_cycle"] / HOUR,
            "busy": own[list(BUSY)].sum(axis=1) / HOUR,
            "running": own[list(RUNS)].sum(axis=1) / HOUR,
            **{name.removesuffix("_pieces"): own[name] for name in PIECES},
        }
    )
    found["produced"] = found[["good", "scrap", "rework"]].sum(axis=1)
    # A shift across midnight has a row for each of its two days.
    sums = dict.fromkeys(("busy", "running", "good", "scrap", "rework", "produced"), "sum")
    return found.groupby(["at", "product"], as_index=False, sort=True).agg({"ideal": "first", **sums})


@dataclass(frozen=True)
class Look:
    """What a finder is given: one machine, the other machines of its line, and the span that it may look at.

    Attributes
    ----------
    start, stop : of the span; ``stop`` is the end of a shift of the machine
    """

    plant: Plant
    history: History
    machine: str
    start: datetime
    stop: datetime
    _records: dict[str, Record] = field(default_factory=dict)

    @property
    def record(self) -> Record:
        """What the machine did and made."""
        return self.record_of(self.machine)

    def record_of(self, machine: str) -> Record:
        """Return the record of any machine of the plant in this span, read once."""
        if machine not in self._records:
            self._records[machine] = record_of(self.plant, self.history, machine, self.start, self.stop)
        return self._records[machine]

    @property
    def upstream(self) -> list[str]:
        """The machines of the same line that stand before it in the plant file, the nearest first."""
        row = self._line()
        return row[: row.index(self.machine)][::-1]

    @property
    def downstream(self) -> list[str]:
        """The machines of the same line that stand after it in the plant file, the nearest first."""
        row = self._line()
        return row[row.index(self.machine) + 1 :]

    def _line(self) -> list[str]:
        line = self.plant.machine_named(self.machine).line
        return [each.name for each in self.plant.machines if each.line == line] if line else [self.machine]

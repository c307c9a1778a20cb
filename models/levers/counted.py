"""Lots of counted pieces: what machines made of one product in a window, and how the window looked in the signals."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.microsecond import HOUR, Times, microseconds, moment
from features.nice_length import nice_length
from features.production.ledger import product_course
from features.production.pieces import OUTCOMES
from features.production.rates import Rates, hour_value
from features.production.stretches import NOTHING
from features.production.told import told_of
from features.recipe import Recipe
from features.sampling import signal_intervals
from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import MachineClass, ModelEntry, Plant
from models.assess import reasons
from models.assessment import Reason
from models.believed import believed_table
from models.judging.backtest import recipe_until
from models.levers.lots import Lots
from models.rows import by_machine, machine_rows

FEATURES: Final = ("mean", "standard_deviation", "minimum", "maximum", "slope")
_WINDOW = timedelta(hours=1)
_GRIDS = [timedelta(minutes=number) for number in (60, 30, 15, 10, 5)]
_ON_GRID = 0.9
_GOOD, _SCRAP = OUTCOMES.index("good"), OUTCOMES.index("scrap")
_COLUMNS = ("row", "product", "pieces", "rejects", "scrap", "cost")


@dataclass(frozen=True, slots=True)
class _Window:
    """How long the window before a count is, and on which grid windows end."""

    length: timedelta
    stride: timedelta

    @classmethod
    def of(cls, counts: pd.DataFrame, sampling: timedelta) -> "_Window":
        """Choose by how counts come: an hour at least, and as long as the usual time from one to the next."""
        times = counts["time"].to_numpy("datetime64[us]").astype(np.int64)
        gaps = [
            np.diff(np.unique(own["time"].to_numpy("datetime64[us]").astype(np.int64)))
            for own in by_machine(counts).values()
        ]
        usual = timedelta(microseconds=float(np.median(np.concatenate(gaps)))) if any(map(len, gaps)) else _WINDOW
        length = nice_length(max(usual, sampling, _WINDOW), at_least=max(sampling, _WINDOW))
        if usual <= _GRIDS[-2]:
            return cls(length, _WINDOW)
        on_grid = (each for each in _GRIDS if (times % microseconds(each) == 0).mean() >= _ON_GRID)
        return cls(length, next(on_grid, _GRIDS[-1]))


def counted_lots(
    plant: Plant, history: History, machine_class: str, start: datetime, end: datetime, machine: str | None = None
) -> tuple[Lots, Recipe]:
    """Return the lots of a class whose machines count their pieces, made in (start, end].

    A count belongs to the window that ends with it: as long as the usual time from one count to the next, and an
    hour at least. Scrap and rework are rejects. Of products that a count does not name, that of the order holds.

    Parameters
    ----------
    machine : only this one

    Raises
    ------
    NotEnoughDataError
        When nothing was counted or no signal was read.
    """
    spans = history.spans(machine_class)
    machines = [each for each in plant.teachers_of(machine_class) if each in spans and machine in (None, each)]
    counts = history.events(machines=machines, kinds=["count"], start=start, end=end)
    if counts.empty or not machines:
        of = f"class '{machine_class}'" if machine is None else f"machine '{machine}'"
        raise NotEnoughDataError(f"{of}: no pieces were counted while signals were read")
    kind = plant.class_named(machine_class)
    window = _Window.of(counts, min(signal_intervals(history, kind, until=end).values()))
    recipe = recipe_until(plant, history, _entry(kind, window), end)
    table = believed_table(recipe, kind, history, machines, start, end).table
    table = table.where(reasons(table, recipe.windows[0]) == Reason.OK.value)
    orders = history.events(machines=machines, kinds=["order"], end=end)
    made = _made(plant, table, pd.concat([orders, counts]) if len(orders) else counts, recipe, start, end)
    rows = made["row"].to_numpy(np.intp)
    rejects = made["rejects"].to_numpy(np.float64)
    own = table.where(rows)
    lots = Lots(
        machine=own.machine,
        product=made["product"].to_numpy(object),
        time=own.time,
        names=own.names,
        values=own.values,
        pieces=made["pieces"].to_numpy(np.float64),
        rejects=rejects,
        price=made["cost"].to_numpy(np.float64) / np.where(rejects > 0, rejects, np.nan),
    )
    return lots, recipe


def _entry(kind: MachineClass, window: _Window) -> ModelEntry:
    return ModelEntry(
        name=f"levers of {kind.name}",
        task="condition",
        machine_class=kind.name,
        horizon=timedelta(0),
        windows=[window.length],
        stride=window.stride,
        features=list(FEATURES) if kind.slow_signals else [],
    )


def _made(
    plant: Plant, table: FeatureTable, events: pd.DataFrame, recipe: Recipe, start: datetime, end: datetime
) -> pd.DataFrame:
    """Return what was made of each product in each row, sorted by row."""
    rows = machine_rows(table.machine)
    stride = microseconds(recipe.stride)
    parts = []
    for machine, own in by_machine(events).items():
        if machine in rows:
            ends = table.time[rows[machine]].astype(np.int64)
            part = _of_machine(plant, machine, own, ends, stride, (moment(start), moment(end)))
            parts.append(part.assign(row=part["row"] + rows[machine].start))
    found = pd.concat(parts) if parts else pd.DataFrame(columns=list(_COLUMNS))
    return found.sort_values(["row", "product"], ignore_index=True)


def _of_machine(
    plant: Plant, machine: str, events: pd.DataFrame, ends: Times, stride: int, between: tuple[int, int]
) -> pd.DataFrame:
    told = told_of(plant, machine, events.sort_values("time", kind="stable"), between[1])
    rates, pieces = Rates.of(plant, machine, told.products), told.pieces
    if not len(pieces.time) or not len(ends):
        return pd.DataFrame(columns=list(_COLUMNS))
    course = product_course(told, rates, *between)
    product = np.where(pieces.product == NOTHING, course.at(pieces.time - 1), pieces.product)
    place = np.minimum(np.searchsorted(ends, pieces.time), len(ends) - 1)
    fits = (ends[place] >= pieces.time) & (ends[place] - pieces.time < stride) & (pieces.amount > 0)
    bad = fits & (pieces.outcome != _GOOD)
    scrap = fits & (pieces.outcome == _SCRAP)
    names = np.array([*told.products, ""], object)
    frame = pd.DataFrame(
        {
            "row": place,
            "product": names[product],
            "pieces": np.where(fits, pieces.amount, 0.0),
            "rejects": np.where(bad, pieces.amount, 0.0),
            "scrap": np.where(scrap, pieces.amount, 0.0),
        }
    )[fits]
    lots = frame.groupby(["row", "product"], as_index=False, sort=True).sum()
    return lots.assign(cost=_cost(plant, machine, lots, dict(zip(names, rates.ideal, strict=True))))[list(_COLUMNS)]


def _cost(plant: Plant, machine: str, lots: pd.DataFrame, ideal: dict[Any, int]) -> NDArray[np.float64]:
    """Return what the rejects of each lot cost: the time they took, or what they would have earned, and material."""
    known = {each.name: each for each in plant.products}
    hour = hour_value(plant, machine)

    def of_one(name: str) -> tuple[float, float]:
        cycle = ideal.get(name, 0) / HOUR
        material = known[name].scrap_cost if name in known else 0.0
        value = known[name].value if name in known else None
        time = hour * cycle if hour is not None and cycle else value
        return (time if time is not None else 0.0 if material else np.nan), material

    each = {name: of_one(name) for name in lots["product"].unique()}
    time, material = (np.array([each[name][place] for name in lots["product"]], np.float64) for place in (0, 1))
    return lots["rejects"].to_numpy() * time + lots["scrap"].to_numpy() * material

"""Where a plant loses time: the loss tree from calendar time to good pieces, and the dearest losses.

Money is what the lost time would have earned: its hours at the ``hour_value`` of the machine, or where there is none
the pieces that could have been made in it at their ideal cycle time, at the value of the product. Scrap costs its
material besides. It is told for an hour of the clock, so that a loss of every night and one of every hour can be
compared. Each machine is valued as if it alone held the line up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.microsecond import HOUR
from features.production.bucket import BUCKETS, BUSY, LOSSES, NAMES, RUNS
from features.production.inferred import Inferred
from features.production.plant_ledger import PlantLedger
from features.production.rates import hour_value
from ingest.plant import Plant
from models.efficiency.oee import Oee, oee_of
from models.efficiency.reliability import Convention, Reliability, reliability_of

Amounts = NDArray[np.float64]
_NAMED = 4
"""Machines that a line names; of more the number is told."""

MADE = {"scrap": "scrap_pieces", "rework": "rework_pieces", "good": "good_pieces"}


@dataclass(frozen=True, slots=True)
class Loss:
    """One bucket of some machines.

    Attributes
    ----------
    name, label : of the bucket; or of a sum of buckets in the tree
    time : in microseconds; speed loss is below zero where an ideal cycle time is wrong
    share : of calendar time
    pieces : that could have been made in it, or were; ``None`` where no ideal cycle time says so
    money : what it cost; ``None`` where it is no loss, or nothing says what time is worth
    money_per_hour : that for an hour of the clock
    machine, reason : where a single loss comes from; the reason in the plant's own word, empty where none was told
    times : how often it began; ``None`` where that is not counted
    """

    name: str
    label: str
    time: int
    share: float
    pieces: float | None
    money: float | None
    money_per_hour: float | None
    machine: str = ""
    reason: str = ""
    times: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types; time in hours."""
        own = {name: getattr(self, name) for name in self.__slots__ if name != "time"}
        return {**own, "hours": self.time / HOUR}


@dataclass(frozen=True, slots=True)
class Losses:
    """Where the time of some machines went.

    Attributes
    ----------
    tree : calendar time, what is left of it step by step, and each bucket, in the order of the tree
    top : losses of single machines, the dearest (or where nothing is worth money the longest) first
    remarks : what a person should know before believing it
    """

    machines: tuple[str, ...]
    oee: Oee
    tree: tuple[Loss, ...]
    top: tuple[Loss, ...]
    reliability: Reliability
    remarks: tuple[str, ...]


_SUMS = (
    ("calendar", "calendar time", NAMES, None),
    ("planned", "planned operation time", tuple(each.name for each in BUCKETS if each.planned), "not_planned"),
    ("busy", "planned busy time", BUSY, "planned_stop"),
    ("running", "actual production time", RUNS, "unknown"),
)
"""Sums of the tree: each comes after the bucket that is taken off last, the first at the top."""


def losses_of(
    plant: Plant, ledger: PlantLedger, hours: float, *, most: int = 10, convention: Convention = "classic"
) -> Losses:
    """Return the loss tree and the largest losses of machines.

    Parameters
    ----------
    hours : of the clock in the span that the ledger is of, above 0
    most : losses in ``top``
    convention : of the mean times between failures
    """
    table = ledger.table
    pieces, money = _pieces(table), _money(plant, table)
    calendar = int(table[list(NAMES)].to_numpy().sum()) if len(table) else 0
    buckets = {name: _bucket(name, table, pieces[name], money.get(name), calendar, hours) for name in NAMES}
    top = list(_singles(table, ledger.reasons, pieces, money, calendar, hours))
    return Losses(
        machines=tuple(dict.fromkeys(table["machine"])),
        oee=oee_of(table),
        tree=tuple(_tree(buckets, calendar)),
        top=tuple(sorted(top, key=lambda each: (-(each.money or 0.0), -each.time))[:most]),
        reliability=reliability_of(ledger.failures, convention),
        remarks=(*told_by_signals(ledger.inferred), *ledger.remarks, *_unvalued(table, money)),
    )


def _pieces(table: pd.DataFrame) -> dict[str, Amounts]:
    """Return of each bucket the pieces of each row; NaN where no ideal cycle time says how many."""
    ideal = table["ideal_cycle"].to_numpy(np.float64)
    cycle = np.where(ideal > 0, ideal, np.nan)
    lost = {name: _worth(table[name].to_numpy(np.float64), 1 / cycle) for name in NAMES}
    return lost | {name: table[column].to_numpy(np.float64) for name, column in MADE.items()}


def _money(plant: Plant, table: pd.DataFrame) -> dict[str, Amounts]:
    """Return of each loss the money of each row; NaN where nothing says what time is worth."""
    nan = float("nan")
    of_hour = {name: hour_value(plant, name) for name in dict.fromkeys(table["machine"])}
    products = {each.name: each for each in plant.products}
    by_hour = np.array([nan if of_hour[name] is None else of_hour[name] for name in table["machine"]], np.float64)
    value = {name: each.value for name, each in products.items() if each.value is not None}
    by_piece = np.array([value.get(name, nan) for name in table["product"]], np.float64)
    material = np.array([products[name].scrap_cost if name in products else 0.0 for name in table["product"]])
    ideal = table["ideal_cycle"].to_numpy(np.float64)
    worth = np.where(np.isnan(by_hour), by_piece * HOUR / np.where(ideal > 0, ideal, nan), by_hour)
    found = {name: _worth(table[name].to_numpy(np.float64) / HOUR, worth) for name in LOSSES}
    scrapped = material * table["scrap_pieces"].to_numpy(np.float64)
    found["scrap"] = np.where(scrapped > 0, np.nan_to_num(found["scrap"]) + scrapped, found["scrap"])
    return found


def _worth(amount: Amounts, each: Amounts) -> Amounts:
    """Return what an amount is worth; nothing is worth nothing, also where it is not known what one is worth."""
    return np.where(amount == 0, 0.0, amount * each)


def _bucket(
    name: str, table: pd.DataFrame, pieces: Amounts, money: Amounts | None, calendar: int, hours: float
) -> Loss:
    label = next(each.label for each in BUCKETS if each.name == name)
    time = int(table[name].sum())
    cost = None if money is None else _sum(money)
    return Loss(name, label, time, time / calendar if calendar else 0.0, _sum(pieces), cost, _per(cost, hours))


def _tree(buckets: dict[str, Loss], calendar: int) -> list[Loss]:
    after = {last: (name, label, of) for name, label, of, last in _SUMS}

    def of_sum(name: str, label: str, of: Sequence[str]) -> Loss:
        time = sum(buckets[each].time for each in of)
        return Loss(name, label, time, time / calendar if calendar else 0.0, None, None, None)

    found = [of_sum(*after[None])]
    for name, bucket in buckets.items():
        found.append(bucket)
        if name in after:
            found.append(of_sum(*after[name]))
    return found


def _singles(
    table: pd.DataFrame,
    reasons: pd.DataFrame,
    pieces: dict[str, Amounts],
    money: dict[str, Amounts],
    calendar: int,
    hours: float,
) -> list[Loss]:
    """Return each loss of each machine; those that have reasons are shared out by their time."""
    found = []
    machines = table["machine"].to_numpy(object)
    for machine in dict.fromkeys(machines):
        own = machines == machine
        told = reasons[reasons["machine"] == machine]
        for name in LOSSES:
            whole = _bucket(name, table[own], pieces[name][own], money[name][own], calendar, hours)
            if whole.time <= 0:
                continue
            rows = told[told["bucket"] == name]
            said = list(zip(rows["reason"], rows["time"], rows["times"], strict=True)) or [("", whole.time, None)]
            found += [_part(whole, machine, *each) for each in said]
    return found


def _part(whole: Loss, machine: str, reason: str, time: int, times: int | None) -> Loss:
    part = int(time) / whole.time
    pieces, money, per_hour = (
        None if each is None else each * part for each in (whole.pieces, whole.money, whole.money_per_hour)
    )
    often = None if times is None else int(times)
    return Loss(whole.name, whole.label, int(time), whole.share * part, pieces, money, per_hour, machine, reason, often)


def told_by_signals(inferred: Mapping[str, Inferred]) -> list[str]:
    """Say of machines that report no states how it is known when they ran: one line for all of which it is alike.

    Parameters
    ----------
    inferred : by machine
    """
    alike: dict[str, list[str]] = {}
    for machine, each in inferred.items():
        sure = "" if each.sure is None else f", {each.sure:.1%} sure"
        alike.setdefault(f"{each.how} when {{}} ran{sure}.", []).append(machine)
    return [_who(machines, how) for how, machines in alike.items()]


def _who(machines: list[str], how: str) -> str:
    named = ", ".join(machines[:_NAMED])
    if len(machines) == 1:
        return f"{named} reports no states; it is known {how.format('it')}"
    more = f" and {len(machines) - _NAMED} more" if len(machines) > _NAMED else ""
    return f"{named}{more} report no states; it is known {how.format('they')}"


def _unvalued(table: pd.DataFrame, money: dict[str, Amounts]) -> list[str]:
    """Say how much lost time has no value: the money is too little by that."""
    missing = {name: np.isnan(each) for name, each in money.items()}
    time = sum(int(table[name].to_numpy()[rows].sum()) for name, rows in missing.items())
    if not time:
        return []
    return [
        f"{time / HOUR:.1f} h of losses are worth no money yet; declare production.hour_value or a product's value."
    ]


def _sum(amounts: Amounts) -> float | None:
    """Return the sum of what is known; ``None`` where nothing of it is."""
    known = ~np.isnan(amounts)
    return float(amounts[known].sum()) if known.all() or amounts[known].any() else None


def _per(money: float | None, hours: float) -> float | None:
    return None if money is None else money / hours

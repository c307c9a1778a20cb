"""Ideal cycle times of the plant file that cannot be right: pieces come faster, or never come near."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look, Record
from models.finding import Evidence

NAME = "ideal cycle time"
FASTER, NEVER_NEAR = 1.01, 1.2
"""Effectiveness above which an ideal is too long; and how many times the ideal the best sustained cycle may take."""
_LEAST_FAST, _LEAST_SLOW, _NEWEST = 3, 6, 40
_LEAST_OF_ALL = 3

_LEAST_HOURS = 1.0
_BEST = 0.1
_ERRORS = 3.5


@dataclass(frozen=True, slots=True)
class _Doubt:
    """An ideal cycle time that is doubted: what it is, and what the machine does, both in seconds."""

    product: str
    ideal: float
    actual: float
    shifts: int
    first: int
    last: int
    fast: bool

    @property
    def words(self) -> str:
        said = f"{self.product} has an ideal cycle time of {self.ideal:.4g} s, and "
        if self.fast:
            return (
                f"{said}took {self.actual:.4g} s a piece in {self.shifts} shifts: it is too long, or counts come twice"
            )
        return (
            f"{said}its best shifts of {self.shifts} took {self.actual:.4g} s a piece ({self.actual / self.ideal:.2f}"
            " times as long): it is too short, or this machine never ran as it could"
        )


def ideal_cycle(look: Look) -> list[FoundLoss]:
    """Return which ideal cycle times are doubted on a machine; at most one, of all products together.

    It costs nothing by itself, so it has no money: it makes the figures of all other losses wrong.
    """
    record = look.record
    products = sorted(set(record.made["product"][record.made["ideal"] > 0]) - {""})
    doubts = [each for name in products if (each := _doubt(record, name)) is not None]
    doubts = doubts or _all_slow(record, products)
    if not doubts:
        return []
    first, last = min(each.first for each in doubts), max(each.last for each in doubts)
    begin = record.begin(first)
    return [
        FoundLoss(
            finder=NAME,
            kind="time loss",
            cause=NAME,
            machine=record.machine,
            since=begin,
            earliest=begin,
            latest=begin,
            seen=record.stop(last),
            pattern={"product": doubts[0].product} if len(doubts) == 1 else {},
            sentence=f"{record.machine}: {'; '.join(each.words for each in doubts)}",
            evidence=tuple(
                Evidence(
                    signal=f"cycle of {each.product}",
                    unit="s",
                    feature="running time a piece" if each.fast else "best tenth of shifts",
                    actual=each.actual,
                    expected=each.ideal,
                    share=1 / len(doubts),
                )
                for each in doubts
            ),
        )
    ]


def _all_slow(record: Record, products: list[str]) -> list[_Doubt]:
    """Return doubts about all products where none came near its ideal: fewer shifts of each are enough then."""
    worked = {name: own for name in products if len((own := _worked(record, name))[0])}
    doubts = [_never_near(record, name, *own) for name, own in worked.items()]
    shifts = {int(at) for places, _ in worked.values() for at in places}
    told = [each for each in doubts if each is not None]
    return told if len(told) == len(worked) and len(shifts) >= _LEAST_OF_ALL else []


def _worked(record: Record, product: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the newest shifts in which a product was made long enough, and hours a piece in them."""
    running, pieces = (record.with_product(product, each) for each in ("running", "produced"))
    worked = np.flatnonzero((running >= _LEAST_HOURS) & (pieces > 0))[-_NEWEST:]
    return worked, running[worked] / pieces[worked]


def _doubt(record: Record, product: str) -> _Doubt | None:
    worked, cycle = _worked(record, product)
    if len(worked) < _LEAST_FAST:
        return None
    ideal = record.ideal(product)
    ratio = np.log(ideal / cycle)
    error = _ERRORS * float(ratio.std(ddof=1)) / math.sqrt(len(ratio))
    if float(ratio.mean()) - error > 0 and float(ratio.mean()) > math.log(FASTER) and (ratio > 0).mean() >= 1 - _BEST:
        running, pieces = (record.with_product(product, each)[worked].sum() for each in ("running", "produced"))
        span = int(worked[0]), int(worked[-1])
        return _Doubt(product, 3600 * ideal, 3600 * float(running / pieces), len(worked), *span, fast=True)
    return _never_near(record, product, worked, cycle) if len(worked) >= _LEAST_SLOW else None


def _never_near(record: Record, product: str, worked: NDArray[np.int64], cycle: NDArray[np.float64]) -> _Doubt | None:
    """Return the doubt about an ideal that even the best shifts do not come near."""
    best, ideal = float(np.quantile(cycle, _BEST)) if len(cycle) else 0.0, record.ideal(product)
    if best <= NEVER_NEAR * ideal:
        return None
    return _Doubt(product, 3600 * ideal, 3600 * best, len(worked), int(worked[0]), int(worked[-1]), fast=False)

"""Overall equipment effectiveness after ISO 22400-2:2014, as ratios of sums.

With APT the actual production time, PBT the planned busy time, PRI the planned run time per item, PQ the produced and
GQ the good quantity: availability A = APT / PBT, effectiveness E = PRI × PQ / APT, quality ratio QR = GQ / PQ, and
OEE = A × E × QR = PRI × GQ / PBT. Of several products, PRI × PQ is the sum of PRI_i × PQ_i, so that QR weighs a piece
by its ideal cycle time; for one product that is GQ / PQ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from features.microsecond import HOUR
from features.production.bucket import BUSY, NAMES, RUNS
from features.production.ledger import PIECES

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Oee:
    """The figures of some rows of a ledger; a factor that is ``None`` has its reason.

    Attributes
    ----------
    calendar, busy, running : calendar time, PBT and APT in microseconds
    made, good : Σ PRI × PQ and Σ PRI × GQ in microseconds
    unknown, unrated : time of which nobody knows what the machine did, and what it could have made, in microseconds
    produced_pieces, good_pieces : PQ and GQ over all products, also those without an ideal cycle time
    too_fast : products that were made faster than their ideal cycle time allows
    unrated_by : what time is unrated of: products, or machines that do not count
    """

    calendar: int
    busy: int
    running: int
    made: int
    good: int
    unknown: int
    unrated: int
    produced_pieces: float
    good_pieces: float
    too_fast: tuple[str, ...] = ()
    unrated_by: tuple[str, ...] = ()

    @property
    def availability(self) -> float | None:
        """A = APT / PBT; time of which nothing is known counts as not running, but all of it tells nothing."""
        return self.running / self.busy if self.unknown < self.busy else None

    @property
    def effectiveness(self) -> float | None:
        """E = Σ PRI × PQ / APT, above 1 where an ideal cycle time is wrong."""
        return self.made / self.running if self.running and not self.unrated else None

    @property
    def quality_ratio(self) -> float | None:
        """QR = Σ PRI × GQ / Σ PRI × PQ."""
        return self.good / self.made if self.made and not self.unrated else None

    @property
    def oee(self) -> float | None:
        """Σ PRI × GQ / PBT, which is A × E × QR where those are known."""
        known = self.unknown < self.busy or self.made
        return self.good / self.busy if self.busy and known and not self.unrated else None

    @property
    def between(self) -> tuple[float, float] | None:
        """The least and the most that OEE can be, whatever happened in unknown and unrated time."""
        if not self.busy:
            return None
        return self.good / self.busy, (self.good + self.unknown + self.unrated) / self.busy

    @property
    def piece_quality(self) -> float | None:
        """GQ / PQ over all pieces alike."""
        return self.good_pieces / self.produced_pieces if self.produced_pieces else None

    def reasons(self) -> dict[str, str]:
        """Say of each factor that is not known why."""
        found: dict[str, str] = {}
        if not self.busy:
            found |= dict.fromkeys(("availability", "oee"), "no planned busy time: nothing was planned in this span")
        elif self.unknown == self.busy:
            why = "nothing says what machines did in planned busy time: no states, stops, orders or signals"
            found |= dict.fromkeys(("availability",) if self.made else ("availability", "oee"), why)
        if not self.running:
            found["effectiveness"] = "no actual production time: it is not known to have run"
        if not self.made:
            found["quality_ratio"] = "no pieces with an ideal cycle time were counted"
        if self.unrated:
            why = f"{self.unrated / HOUR:.1f} h ran of which nothing says what could have been made"
            by = ", ".join(self.unrated_by[:_SHOWN]) + (" and more" if len(self.unrated_by) > _SHOWN else "")
            found |= dict.fromkeys(("effectiveness", "quality_ratio"), f"{why}: {by}")
            found.setdefault("oee", f"{why}: {by}")
        return found

    def flags(self) -> list[str]:
        """Say what makes the figures hard to believe."""
        found = []
        if self.too_fast:
            said = "effectiveness above 1: the ideal cycle time is too long, or pieces are counted twice"
            found.append(f"{said}: {', '.join(self.too_fast[:_SHOWN])}")
        if self.unknown:
            share = self.unknown / self.busy if self.busy else 0
            found.append(
                f"{self.unknown / HOUR:.1f} h ({share:.1%} of planned busy time) unknown, counted as not running"
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types; times in hours."""
        return {
            "availability": self.availability,
            "effectiveness": self.effectiveness,
            "quality_ratio": self.quality_ratio,
            "oee": self.oee,
            "between": self.between,
            "piece_quality": self.piece_quality,
            "calendar_hours": self.calendar / HOUR,
            "planned_busy_hours": self.busy / HOUR,
            "running_hours": self.running / HOUR,
            "produced_pieces": self.produced_pieces,
            "good_pieces": self.good_pieces,
            "reasons": self.reasons(),
            "flags": self.flags(),
        }


def oee_of(table: pd.DataFrame) -> Oee:
    """Return the figures of a ledger's rows taken together.

    Parameters
    ----------
    table : with the columns of ``features.production.ledger.COLUMNS``
    """
    sums = {name: int(table[name].sum()) for name in NAMES}
    made = sums["good"] + sums["scrap"] + sums["rework"]
    pieces = {name: float(table[name].sum()) for name in PIECES}
    return Oee(
        calendar=sum(sums.values()),
        busy=sum(sums[name] for name in BUSY),
        running=sum(sums[name] for name in RUNS),
        made=made,
        good=sums["good"],
        unknown=sums["unknown"],
        unrated=sums["unrated"],
        produced_pieces=sum(pieces.values()),
        good_pieces=pieces["good_pieces"],
        too_fast=_too_fast(table),
        unrated_by=_unrated_by(table),
    )


def oees(table: pd.DataFrame, by: Sequence[str]) -> dict[tuple[Any, ...], Oee]:
    """Return the figures of each group of rows, such as ``["line", "day"]``, in order."""
    return {key: oee_of(rows) for key, rows in table.groupby(list(by), sort=True)} if len(table) else {}


def _too_fast(table: pd.DataFrame) -> tuple[str, ...]:
    """Return products of machines whose pieces took less than their ideal cycle time, over all rows together."""
    speed = table.groupby(["machine", "product"], sort=True)["speed_loss"].sum() if len(table) else pd.Series()
    return tuple(_named(machine, product) for machine, product in speed.index[speed < 0])


def _unrated_by(table: pd.DataFrame) -> tuple[str, ...]:
    rows = table[table["unrated"] > 0]
    return tuple(dict.fromkeys(_named(*each) for each in zip(rows["machine"], rows["product"], strict=True)))


def _named(machine: str, product: str) -> str:
    return f"{product} on {machine}" if product else f"{machine}, product not known"

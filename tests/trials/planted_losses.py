"""Are planted losses found, with the right cause, how soon, for the right money; and how often where there is none?

    python -m tests.trials.planted_losses [--plants 20] [--clean 10] [--seed 1000] [--json]

A machine is looked at after each shift, as the job does, until its loss is found, and once more at the end. Its record
is read once and cut at the end of each shift, which gives the same (test_what_comes_later_changes_nothing). Counted are
shifts in which the loss acted: with one product those in which it ran for an hour or more. A plant is two presses of
two shifts, and a line of four presses where nothing is planted; all break down and are maintained as any simulated
plant. Seeds from 1000 on judge:
what was tuned was tuned on others.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from features.microsecond import moment
from ingest.simulation.planted_loss import PlantedLoss
from ingest.simulation.production_text import HOUR_VALUE
from models.efficiency.finders.catalogue import FINDERS
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look, Record
from models.judging.interval import wilson
from tests.floor_plant import FloorPlant, floor_plant

BEGINS, DAYS, LOOKED = 40, 60, 18
_ACTED = 1.0
MACHINE = "press-01"
CLEAN_DAYS, CLEAN_MACHINES = 90, 4
CYCLE_HOURS = {"door panel": 22 / 3600, "cover": 18 / 3600, "clip plate": 16 / 3600}


@dataclass(frozen=True)
class Kind:
    """A loss that is planted, and what finds it right."""

    planted: PlantedLoss
    cause: str
    pattern: dict[str, str] = field(default_factory=dict)
    also: tuple[PlantedLoss, ...] = ()

    def right(self, found: FoundLoss) -> bool:
        """Whether the cause is right and every part of the pattern that is known."""
        return found.cause == self.cause and all(found.pattern.get(key) == name for key, name in self.pattern.items())


def planted(kind: Any, size: float, **more: Any) -> PlantedLoss:
    return PlantedLoss(machine=MACHINE, kind=kind, size=size, from_day=BEGINS, **more)


KINDS = {
    "3 minor stops an hour more, one product": Kind(
        planted("minor stops", 3, product="cover", reason="jam"), "minor stops", {"product": "cover", "reason": "jam"}
    ),
    "3 minor stops an hour more, all products": Kind(planted("minor stops", 3), "minor stops"),
    "6 % slower, one product": Kind(planted("slow cycle", 0.06, product="cover"), "slow cycle", {"product": "cover"}),
    "6 % slower, all products": Kind(planted("slow cycle", 0.06), "slow cycle"),
    "change-over half as long again": Kind(planted("long change-over", 0.5), "long change-over"),
    "starved 6 min an hour more": Kind(planted("starved", 0.1), "starved"),
    "blocked 6 min an hour more": Kind(planted("blocked", 0.1), "blocked"),
    "3 % more scrap, one product": Kind(planted("scrap", 0.03, product="cover"), "scrap", {"product": "cover"}),
    "ideal cycle time 30 % too short": Kind(planted("wrong ideal cycle", 0.3), "ideal cycle time"),
    "bottleneck: 12 % slower, and the next starves 9 min an hour more": Kind(
        planted("slow cycle", 0.12),
        "bottleneck shift",
        also=(PlantedLoss(machine="press-02", kind="starved", size=0.15, from_day=BEGINS),),
    ),
}


def shift_ends(works: FloorPlant, first: int, last: int) -> Iterator[datetime]:
    """Yield the end of each shift of the days [first, last) on which presses work."""
    for day in range(first, last):
        if (works.scenario.start + timedelta(days=day)).weekday() < 6:
            for hour in (14, 22):
                yield works.midnight(day) + timedelta(hours=hour)


@dataclass(frozen=True)
class Known(Look):
    """A look at records that were read before, up to the end of a shift."""

    def until(self, end: datetime) -> "Known":
        """Return what was known at the end of a shift."""
        cut = {name: _cut(each, end) for name, each in self._records.items()}
        return Known(self.plant, self.history, self.machine, self.start, end, cut)


def _cut(record: Record, end: datetime) -> Record:
    places = int((record.shifts["stop"] <= moment(end)).sum())
    return replace(
        record,
        shifts=record.shifts.iloc[:places],
        parts=record.parts[record.parts["at"] < places],
        made=record.made[record.made["at"] < places],
    )


def known(works: FloorPlant, machine: str, days: int) -> Known:
    """Return all that is known of a machine and of its line at the end."""
    look = Known(works.plant, works.history, machine, works.midnight(0), works.midnight(days))
    for each in works.plant.machines:
        look.record_of(each.name)
    return look


@dataclass
class Tally:
    """What became of one kind of planted loss."""

    plants: int = 0
    shifts: list[int] = field(default_factory=list)
    money: list[float] = field(default_factory=list)
    others: int = 0


def truth_per_hour(works: FloorPlant, end: datetime, since: datetime) -> float | None:
    """Return the true money an hour of the clock from the begin that was planted to the end of a look."""
    loss = works.scenario.losses[0]
    if loss.kind == "wrong ideal cycle":
        return None
    # Days are whole here: the looks whose money is compared end with their day.
    days = (end - works.midnight(0)).days
    lost = sum(amount for day, amount in works.lost[0].items() if day <= days)
    hours = lost * CYCLE_HOURS[loss.product] if loss.kind == "scrap" else lost / 3600
    return hours * HOUR_VALUE / ((end - since) / timedelta(hours=1)) if lost else None


def tried(kind: Kind, seed: int, tally: Tally) -> None:
    """Plant one loss, and look until a fortnight and a half later."""
    works = floor_plant(kind.planted, *kind.also, seed=seed, days=DAYS, failures_per_machine_year=4)
    tally.plants += 1
    begins = BEGINS if kind.planted.kind != "wrong ideal cycle" else 0
    took = next((day for day in sorted(works.lost[0]) if works.lost[0][day]), begins)
    whole = known(works, MACHINE, DAYS)
    ran = whole.record.with_product(kind.planted.product, "running")
    seen: int | None = None
    newest: FoundLoss | None = None
    shift = 0
    look = whole
    ends = [*shift_ends(works, took, min(took + LOOKED, DAYS))]
    for end in ends:
        look = whole.until(end)
        shift += int(ran[len(look.record.shifts) - 1] >= _ACTED)
        if seen is not None and end != ends[-1]:
            continue
        right = [each for each in FINDERS[kind.cause](look) if kind.right(each)]
        newest = right[0] if right else None
        seen = max(shift, 1) if seen is None and newest is not None else seen
    tally.others += len(
        {each.cause for finder in FINDERS.values() for each in finder(look)} - {kind.cause, kind.planted.kind}
    )
    if seen is not None:
        tally.shifts.append(seen)
    if newest is not None and newest.money_per_hour is not None:
        true = truth_per_hour(works, look.stop, newest.since)
        if true:
            tally.money.append(newest.money_per_hour / true)


def clean(seed: int, every: int) -> dict[str, int]:
    """Return how many losses are newly found in 90 days of a line of four where none is planted, by cause.

    Parameters
    ----------
    every : shifts from look to look
    """
    works = floor_plant(seed=seed, days=CLEAN_DAYS, machines={"press": CLEAN_MACHINES}, failures_per_machine_year=4)
    raised: dict[str, int] = {}
    for machine in (each.name for each in works.plant.machines):
        lasting: set[str] = set()
        whole = known(works, machine, CLEAN_DAYS)
        for end in [*shift_ends(works, 1, CLEAN_DAYS)][::every]:
            look = whole.until(end)
            now = {each.cause for finder in FINDERS.values() for each in finder(look)}
            for cause in now - lasting:
                raised[cause] = raised.get(cause, 0) + 1
            lasting = now
    return raised


def rows(plants: int, clean_lines: int, seed: int, every: int, only: str) -> Iterator[dict[str, Any]]:
    """Yield one row for each kind of loss, then one for clean lines."""
    for name, kind in ((name, kind) for name, kind in KINDS.items() if only in name):
        tally = Tally()
        for each in range(plants):
            tried(kind, seed + each, tally)
        share = wilson(len(tally.shifts), tally.plants)
        near = [abs(ratio - 1) <= 0.1 for ratio in tally.money]
        yield {
            "planted": name,
            "plants": tally.plants,
            "found": len(tally.shifts),
            "found_low": round(share.low, 2),
            "found_high": round(share.high, 2),
            "within_3_shifts": sum(each <= 3 for each in tally.shifts),
            "shifts_median": float(np.median(tally.shifts)) if tally.shifts else None,
            "shifts_90": float(np.quantile(tally.shifts, 0.9)) if tally.shifts else None,
            "money_over_true": float(np.median(tally.money)) if tally.money else None,
            "money_within_tenth": f"{sum(near)} of {len(near)}",
            "other_causes": tally.others,
        }
    if clean_lines:
        raised: dict[str, int] = {}
        for each in range(clean_lines):
            for cause, number in clean(seed + 500 + each, every).items():
                raised[cause] = raised.get(cause, 0) + number
        months = clean_lines * CLEAN_DAYS / (365.25 / 12)
        yield {
            "planted": "clean line of four",
            "line_months": round(months, 1),
            "findings": sum(raised.values()),
            "a_line_and_month": sum(raised.values()) / months,
            "by_cause": raised,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plants", type=int, default=20)
    parser.add_argument("--clean", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--every", type=int, default=1, help="shifts from look to look on clean lines")
    parser.add_argument("--only", default="", help="kinds with these words in their name")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    for row in rows(asked.plants, asked.clean, asked.seed, asked.every, asked.only):
        words = [f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()]
        sys.stdout.write((json.dumps(row) if asked.json else "  ".join(words)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

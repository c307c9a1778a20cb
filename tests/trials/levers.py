"""Are planted levers found, first and with the right limit and ratio; and how often is one told where there is none?

    python -m tests.trials.levers [--plants 100] [--simulated 12] [--seed 1000] [--json]

Two presses, twelve signals, two shifts a day for 60 days; signals and rejects are slow in different degrees. Then
presses of the simulator, with wear, failures and broken sensors, whose scrap rises while their oil is cold, after so
many days. Seeds from 1000 on judge: what was tuned was tuned on others.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any

from models.judging.interval import wilson
from models.levers.find import Levers, find_levers
from models.levers.plant_levers import plant_levers
from tests.models.moulds import LIMIT, UNITS, moulds
from tests.pressing_plant import cold_oil, pressing_plant, whole_span

PLANTED = "mould temperature"
SLOW = {"no memory": 0.0, "half a day": 0.9, "three days": 0.98, "two weeks": 0.995}
"""How much of itself a series keeps from hour to hour."""
RATIOS = (1.0, 1.3, 1.5, 2.0, 3.0)
DAYS = (60, 30, 15)
COLD, USUAL_SCRAP, MORE_SCRAP = 45.0, 0.012, 0.02
COLD_RATIO = (USUAL_SCRAP + MORE_SCRAP * (1 - USUAL_SCRAP)) / USUAL_SCRAP


def looked(seed: int, ratio: float, keeps: float) -> Levers:
    """Return the levers of one plant."""
    lots, recipe = moulds(seed, ratio=ratio, keeps=keeps)
    return find_levers("press", lots, recipe, UNITS)


def rows(plants: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield one row for each planted ratio and memory."""
    for ratio in RATIOS:
        for memory, keeps in SLOW.items():
            found = [looked(seed + number, ratio, keeps) for number in range(plants)]
            mine = [each for one in found for each in one.levers if each.signal == PLANTED]
            first = sum(bool(one.levers) and one.levers[0].signal == PLANTED for one in found)
            others = sum(any(each.signal != PLANTED for each in one.levers) for one in found)
            covered = sum(each.contrast.ratio.low <= ratio <= (each.contrast.ratio.high or 0) for each in mine)
            limits = sum(
                each.low_between is not None and each.low_between[0] <= LIMIT <= each.low_between[1] for each in mine
            )
            yield {
                "ratio": ratio,
                "memory": memory,
                "plants": plants,
                "planted first": wilson(first, plants).percent(),
                "another told": wilson(others + (len(mine) if ratio == 1.0 else 0), plants).percent(),
                "ratio within interval": wilson(covered, len(mine)).percent(),
                "limit within interval": wilson(limits, len(mine)).percent(),
            }


def simulated(plants: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield one row for each length of a simulated history, with scrap planted and without."""
    for planted in (True, False):
        for days in DAYS if planted else DAYS[:1]:
            found = []
            for number in range(plants):
                losses = cold_oil() if planted else ()
                plant, past = pressing_plant(
                    *losses,
                    seed=seed + number,
                    days=days,
                    failures_per_machine_year=4,
                    sensor_faults_per_machine_year=4,
                )
                found.append(plant_levers(plant, past, "press", *whole_span(past)))
            mine = [each for one in found for each in one.levers if each.signal == "oil_temperature"]
            first = sum(bool(one.levers) and one.levers[0].signal == "oil_temperature" for one in found)
            others = sum(any(each.signal != "oil_temperature" for each in one.levers) for one in found)
            covered = sum(each.contrast.ratio.low <= COLD_RATIO <= (each.contrast.ratio.high or 0) for each in mine)
            limits = sum(abs(each.region.low - COLD) <= 1.0 for each in mine)
            yield {
                "ratio": round(COLD_RATIO, 2) if planted else 1.0,
                "memory": f"simulator, {days} days",
                "plants": plants,
                "planted first": wilson(first, plants).percent(),
                "another told": wilson(others + (0 if planted else len(mine)), plants).percent(),
                "ratio within interval": wilson(covered, len(mine)).percent(),
                "limit within 1 degC": wilson(limits, len(mine)).percent(),
            }


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.trials.levers", description=__doc__)
    parser.add_argument("--plants", type=int, default=100)
    parser.add_argument("--simulated", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = []
    for row in chain(rows(asked.plants, asked.seed), simulated(asked.simulated, asked.seed)):
        found.append(row)
        if not asked.json:
            sys.stdout.write("| " + " | ".join(str(each) for each in row.values()) + " |\n")
            sys.stdout.flush()
    if asked.json:
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

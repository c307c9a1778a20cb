"""From which size on a sensor fault is found: ``python -m tests.trials.sensor_fault_sizes --seeds 1 2``.

Faults of fixed sizes on every sensor of healthy machines of a simulated fleet, looked at by the code that a round
uses. An offset and a drift are sized as data sheets and calibration tolerances are: as a share of the span of the
signal, here that between the 1st and the 99th percentile of its own four weeks before; an offset lasts three days, a
drift reaches its size in seven. Being stuck, spikes (a tenth of the readings) and drop-outs (seven tenths) are sized by
how long they last. The sizes are the same for all signals.

The first table says how many were found of each kind and size while they lasted; a kind's limit is the size from which
on 95 in 100 are. The second says the same of each signal for offset and drift, and how far its daily means are from
each other when nothing is wrong (standard deviation, as a share of the same span): nobody can tell a smaller fault from
a day like others by the signal alone.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from time import perf_counter

import numpy as np

from ingest.simulation.kinds.catalogue import KINDS
from ingest.simulation.scenario import Scenario
from models.moment import instant
from models.sensors.health import sensor_health
from tests.trials.planned_faults import HEALTHY, LASTS, SHARES, SIZES, faulty, sized, span_of
from tests.trials.sensor_faults import HOUR, FaultyHistory, Fleet, fleet_of

FOUND = 0.95


def found(kind: str, seed: int, fleet: Fleet, machines: int) -> Iterator[tuple[str, str, float, bool]]:
    """Yield kind of fault, signal, size and whether it was found while it lasted, of the first machines of a fleet."""
    machine_class, truth = fleet.plant.class_named(kind), fleet.history()
    for machine in Scenario(machines={kind: machines}, seed=seed).plant():
        own = fleet.readings[fleet.readings["machine"] == machine.name]
        for size, fault in sized(kind, seed, machine, own, fleet.begin):
            start, over = (datetime.fromtimestamp(each, UTC) for each in (fault.begin, fault.end))
            history = FaultyHistory(faulty(kind, own, fault, seed), truth, machine.name, start)
            health = sensor_health(history, machine_class, [machine.name], start - HOUR, over + HOUR)[machine.name]
            bad = health.fault[health.signals.index(fault.signal)] > 0
            yield fault.kind, fault.signal, size, bool((bad & (health.hours > instant(start))).any())


def limit(sizes: Sequence[float], shares: Sequence[float]) -> float | None:
    """Return the size from which on nearly all are found; ``None`` if not even of the largest.

    Examples
    --------
    >>> limit((1, 2, 3), (0.96, 0.5, 1.0)), limit((1, 2), (1.0, 0.9))
    (3, None)
    """
    small = [place for place, share in enumerate(shares) if share < FOUND]
    first = max(small, default=-1) + 1
    return sizes[first] if first < len(sizes) else None


def _row(name: str, sizes: Sequence[float], told: dict[float, list[bool]]) -> str:
    counts = "  ".join(f"{sum(told[size])}/{len(told[size])}".rjust(7) for size in sizes)
    least = limit(sizes, [float(np.mean(told[size])) for size in sizes])
    return f"{name:<38} {counts}   limit {'none' if least is None else f'{least:g}'}"


def main() -> None:
    """Run it and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--machines", type=int, default=4, help="that have faults, of each class")
    parser.add_argument("--fleet", type=int, default=10, help="machines of each class")
    parser.add_argument("--classes", nargs="+", default=["pump", "spindle"])
    asked = parser.parse_args()
    started = perf_counter()
    told: dict[tuple[str, str], dict[float, list[bool]]] = defaultdict(lambda: defaultdict(list))
    apart: dict[str, list[float]] = defaultdict(list)
    for kind in asked.classes:
        for seed in asked.seeds:
            fleet = fleet_of(kind, seed, asked.fleet, models=False)
            for fault, signal, size, was in found(kind, seed, fleet, asked.machines):
                told[fault, ""][size].append(was)
                told[fault, f"{kind} {signal}"][size].append(was)
            for signal in (each.name for each in KINDS[kind].signals):
                for _, own in fleet.readings.groupby("machine"):
                    apart[f"{kind} {signal}"].append(span_of(own, signal, fleet.begin + HEALTHY)[1])
    lines = []
    for unit, kinds in (("hours", ("stuck", "spikes", "drop-outs")), ("share of span", ("drift", "offset"))):
        lines.append(f"{unit:<38} " + "  ".join(f"{size:>7g}" for size in SIZES[kinds[0]]))
        lines += [_row(fault, SIZES[fault], told[fault, ""]) for fault in kinds]
    for fault in LASTS:
        for name, own in apart.items():
            day = float(np.median(own))
            lines.append(f"{_row(f'{fault} {name}', SHARES, told[fault, name])}, days apart {day:.3f}")
    sys.stdout.write("\n".join([*lines, f"{perf_counter() - started:.0f} s", ""]))


if __name__ == "__main__":
    main()

"""How fast alerts change state and call people: ``python -m tests.benchmarks.alerts [--json] [--quick] [--profile]``.

A *transition* is one change of one alert that is durable with all that hangs on it: its new state, the line of its
history, the decision about whom it calls, its call and the messages. ``raise`` opens alerts of many machines in
transactions of 100 and of 1,000, in which all of them are decided on; ``decide`` is the share of the pipeline alone.
That a hundred alerts at once cost no more each than one in ten is the row ``growth``. Peer: writing the same rows of
state and history, one after the other, with nothing decided.
"""

import argparse
import cProfile
import json
import pstats
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.alerts import book
from service.alerts.alert import Happening
from service.alerts.line import remember
from service.alerts.pipeline.decide import decide
from service.alerts.tables import alert_table
from tests.service.called_plant import SECOND, Called, called, plant_of

GOAL = 10_000
"""Transitions a second, grouped."""


def clocks() -> NDArray[np.float64]:
    """Return the present by the clock and by the processor of this process."""
    return np.array([perf_counter(), process_time()])


def since(started: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the seconds since then, by both."""
    return clocks() - started


def plain(world: Called, count: int) -> NDArray[np.float64]:
    """Write states and lines of alerts in bulk; return seconds."""
    finding = world.finding()
    row: dict[str, Any] = {"cause": finding.cause, "kind": finding.kind, "model": "m", "version": "v"}
    row |= {"state": "unacknowledged", "raised_at": world.now, "condition_begin": world.now, "sentence": ""}
    row |= {"act_before": finding.act_before, "level": 0.5, "evidence": []}
    started = clocks()
    with world.state.write() as connection:
        rows = [row | {"machine": f"press-{each}", "number": each + 1} for each in range(count)]
        connection.execute(alert_table.insert(), rows)
        remember(connection, [each + 1 for each in range(count)], Happening.RAISED, at=world.now, by="andon")
    return since(started)


def deciding(world: Called, count: int) -> NDArray[np.float64]:
    """Decide on alerts that were raised before; return seconds of the transaction that decides."""
    plain(world, count)
    started = clocks()
    with world.state.write() as connection:
        decide(connection, world.rules, world.now)
    first = since(started)
    world.now += 31 * SECOND
    started = clocks()
    with world.state.write() as connection:
        decide(connection, world.rules, world.now)
    return first + since(started)


def raising(world: Called, count: int) -> NDArray[np.float64]:
    """Raise alerts one by one in one transaction, and decide on all of them; return seconds."""
    started = clocks()
    with world.calling.write() as connection:
        for each in range(count):
            book.raise_alert(connection, world.finding(f"press-{each}"), at=world.now)
    return since(started)


def measured(what: Callable[[Called, int], NDArray[np.float64]], count: int, repeats: int) -> NDArray[np.float64]:
    """Return the medians of changes a second, by the clock and by the processor."""
    rates = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            route = {"name": "shift", "targets": ["phone"], "budget": 10**6}
            world = called(Path(folder), plant_of([route], machines=2 * count))
            with closing(world.state):
                rates.append(count / what(world, count))
    return np.median(rates, axis=0)


def rows(quick: bool) -> list[dict[str, Any]]:
    """Measure everything."""
    repeats, most = (1, 300) if quick else (5, 1000)
    grouped = {count: measured(deciding, count, repeats) for count in (10, 100, most)}
    bare = measured(plain, most, repeats)
    found = [_row(f"state and history, {most} in one transaction", bare, "1/s")]
    for count, rate in grouped.items():
        # Each alert is decided on twice: it waits for its group, and is told.
        both = 2 / (1 / bare + 1 / rate)
        found.append(_row(f"raised, decided on and told, {count} at once", both, "transitions/s") | {"goal": GOAL})
    found.append(_row(f"growth: cost each of {most} over that of 100", grouped[100] / grouped[most], ""))
    found.append(_row(f"raised one by one, {most} in one transaction", measured(raising, most, repeats), "1/s"))
    return found


def _row(name: str, value: NDArray[np.float64], unit: str) -> dict[str, Any]:
    return {"name": name, "value": float(value[0]), "on_the_processor": float(value[1]), "unit": unit}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for each in ("--json", "--quick", "--profile"):
        parser.add_argument(each, action="store_true")
    asked = parser.parse_args()
    if asked.profile:
        profile = cProfile.Profile()
        profile.runcall(measured, deciding, 1000, 1)
        pstats.Stats(profile, stream=sys.stdout).sort_stats("cumulative").print_stats(45)
        return
    found = rows(asked.quick)
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    for row in found:
        goal = f"  (goal {row['goal']:,})" if "goal" in row else ""
        print(f"{row['name']:<55} {row['value']:>10,.1f} {row['on_the_processor']:>10,.1f} {row['unit']}{goal}")


if __name__ == "__main__":
    main()

"""What a machine works on: orders one after another, each with its own load and speed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.simulation.kind import MachineKind, Product
from ingest.simulation.life import LifeDay
from ingest.simulation.scenario import Scenario, SimulatedMachine

_ORDER_SPREAD = 0.5
_SETTING_SPREAD = 0.03


@dataclass(frozen=True, slots=True)
class Run:
    """One uninterrupted stretch of one order; ``begin`` and ``end`` in seconds since 1970 UTC."""

    begin: int
    end: int
    order: str
    product: Product
    load: float
    speed: float


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the machine did at each sampling moment; arrays of shape (n,).

    Attributes
    ----------
    times : seconds since 1970 UTC
    running : 1.0 while it ran, else 0.0
    load, speed : relative to nominal; 1 while it did not run
    ambient : degC around the machine
    """

    times: NDArray[np.int64]
    running: NDArray[np.float64]
    load: NDArray[np.float64]
    speed: NDArray[np.float64]
    ambient: NDArray[np.float64]


class OrderBook:
    """The orders of one machine, handed out in running time."""

    def __init__(self, scenario: Scenario, machine: SimulatedMachine) -> None:
        self._machine = machine
        self._chance = scenario.randomness(machine.name, "orders")
        self._number = 0
        self._left = 0
        self._run = self._next(0)

    def runs(self, day: LifeDay) -> list[Run]:
        """Return what was worked on during the running spans of the day, in order."""
        return [run for begin, end in day.running for run in self._fill(begin, end)]

    def _fill(self, begin: int, end: int) -> Iterator[Run]:
        while begin < end:
            if self._left == 0:
                self._run = self._next(begin)
            until = min(end, begin + self._left)
            self._left -= until - begin
            template = self._run
            yield Run(begin, until, template.order, template.product, template.load, template.speed)
            begin = until

    def _next(self, begin: int) -> Run:
        kind = self._machine.kind
        product = kind.products[int(self._chance.integers(len(kind.products)))]
        length, load, speed = self._chance.standard_normal(3)
        self._number += 1
        self._left = max(int(kind.order_hours * 3600 * math.exp(_ORDER_SPREAD * length)), 1800)
        return Run(
            begin,
            begin,
            f"{self._machine.name}-{self._number:04d}",
            product,
            product.load * (1 + _SETTING_SPREAD * load),
            product.speed * (1 + _SETTING_SPREAD * speed),
        )


def conditions(
    kind: MachineKind, times: NDArray[np.int64], day_begin: int, runs: list[Run], ambient: NDArray[np.float64]
) -> Conditions:
    """Return load, speed and running at the sampling moments of a day; demand peaks in the afternoon."""
    running, load, speed = np.zeros(len(times)), np.ones(len(times)), np.ones(len(times))
    for run in runs:
        inside = slice(*np.searchsorted(times, (run.begin, run.end)))
        running[inside], load[inside], speed[inside] = 1.0, run.load, run.speed
    profile = 1 + kind.demand * np.cos(2 * np.pi * ((times - day_begin) / 86400 - 14 / 24))
    return Conditions(times, running, np.where(running > 0, load * profile, 1.0), speed, ambient)

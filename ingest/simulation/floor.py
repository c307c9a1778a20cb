"""The shop floor: what a line computer tells of one machine, second by second: states, orders and hourly counts.

Beside the power and vibration of a machine this is what losses are made of. It has random streams of its own, so that
nothing else of a scenario changes with it, and each planted loss draws from one more.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ingest.simulation.happening import Happening
from ingest.simulation.operation import Run
from ingest.simulation.planted_loss import PlantedLoss
from ingest.simulation.scenario import Scenario, SimulatedMachine

RUNNING, SETUP, STARVED, BLOCKED, OFF = "running", "set-up", "no material", "exit full", "off"
_HOUR = 3600
_STOPS_AN_HOUR, _STOP_SECONDS, _LONGEST_STOP = 1.2, 55.0, 280.0
_WAITS_AN_HOUR, _WAIT_SECONDS = 0.12, 420.0
_SETUP_SECONDS, _SETUP_SPREAD = 1500.0, 0.2
_PACE, _PACE_SPREAD = 0.95, 0.012
_SCRAP = 0.012
_DAY_SPREAD = 0.2
_USUAL = -1
Read = Callable[[str, int, int], float]


def _nothing(signal: str, begin: int, end: int) -> float:
    """Return the mean of a signal that nobody reads."""
    del signal, begin, end
    return math.nan


@dataclass(frozen=True, slots=True)
class FloorDay:
    """What the line computer told of one local day, and what planted losses took.

    Attributes
    ----------
    happenings : states, orders and counts, sorted by time
    lost : seconds (of scrap: pieces) that each planted loss took, by its place in ``Scenario.losses``
    """

    happenings: tuple[Happening, ...]
    lost: dict[int, float]


class Floor:
    """The line computer of one machine; ask for one day after the other."""

    def __init__(self, scenario: Scenario, machine: SimulatedMachine) -> None:
        self._kind = machine.kind
        self._usual = scenario.randomness(machine.name, "floor")
        own = [(place, each) for place, each in enumerate(scenario.losses) if each.machine == machine.name]
        self._planted = [(place, each, scenario.randomness(machine.name, f"loss {place}")) for place, each in own]
        self._day = -1
        self._order = ""
        self._pace = 1.0
        self._left = 0.0
        self._read: Read = _nothing

    def day(self, runs: Sequence[Run], read: Read = _nothing) -> FloorDay:
        """Return what was told of the next day, on which these runs were worked on.

        Parameters
        ----------
        read : mean of a signal from one second to another on that day, NaN where it was not read
        """
        self._day += 1
        self._read = read
        busy = math.exp(_DAY_SPREAD * self._usual.standard_normal() - _DAY_SPREAD**2 / 2)
        told: list[Happening] = []
        lost: dict[int, float] = {}
        for run, following in zip(runs, [*runs[1:], None], strict=False):
            told += self._run(run, busy, lost)
            if following is None or following.begin > run.end:
                told.append(Happening("state", run.end, code=OFF))
        return FloorDay(tuple(sorted(told, key=lambda each: each.time)), lost)

    def _run(self, run: Run, busy: float, lost: dict[int, float]) -> Iterator[Happening]:
        begin = run.begin
        if run.order != self._order:
            yield Happening("order", run.begin, component=run.product.name, code=run.order)
            self._pace = _PACE * math.exp(_PACE_SPREAD * self._usual.standard_normal())
            self._left = self._set_up(run, lost) if self._order else 0.0
            self._order = run.order
        if self._left:
            yield Happening("state", begin, code=SETUP)
            taken = min(math.ceil(self._left), run.end - begin)
            self._left = 0.0 if taken >= self._left else self._left - taken
            begin += taken
        if begin >= run.end:
            return
        stands = self._stands(begin, run, busy, lost)
        now = begin
        for at, length, word in stands:
            if at >= now:
                if at > now:
                    yield Happening("state", now, code=RUNNING)
                yield Happening("state", at, code=word)
                now = min(at + length, run.end)
        if now < run.end:
            yield Happening("state", now, code=RUNNING)
        yield from self._counts(begin, run, stands, lost)

    def _set_up(self, run: Run, lost: dict[int, float]) -> float:
        usual = _SETUP_SECONDS * math.exp(_SETUP_SPREAD * self._usual.standard_normal())
        longer = 0.0
        for place, each, _ in self._acting("long change-over", run):
            longer += usual * each.size
            lost[place] = lost.get(place, 0.0) + usual * each.size
        return usual + longer

    def _stands(self, begin: int, run: Run, busy: float, lost: dict[int, float]) -> list[tuple[int, int, str]]:
        """Return when it stood, for how long and why, in order; a stand that falls into another is left out."""
        hours = (run.end - begin) / _HOUR
        errors = self._kind.errors or ("stop",)
        drawn: list[tuple[float, float, str, int]] = [
            (*self._moment(self._usual, begin, run), str(self._usual.choice(errors)), _USUAL)
            for _ in range(self._usual.poisson(_STOPS_AN_HOUR * busy * hours))
        ]
        for word in (STARVED, BLOCKED):
            for _ in range(self._usual.poisson(_WAITS_AN_HOUR * hours)):
                at = self._usual.uniform(begin, run.end)
                drawn.append((at, _WAIT_SECONDS * self._usual.uniform(0.8, 1.6), word, _USUAL))
        for place, each, chance in self._acting("minor stops", run):
            for _ in range(chance.poisson(each.size * hours)):
                word = each.reason or str(chance.choice(errors))
                drawn.append((*self._moment(chance, begin, run), word, place))
        for kind, word in (("starved", STARVED), ("blocked", BLOCKED)):
            for place, each, chance in self._acting(kind, run):
                for _ in range(chance.poisson(each.size * hours * _HOUR / _WAIT_SECONDS)):
                    at = chance.uniform(begin, run.end)
                    drawn.append((at, _WAIT_SECONDS * chance.uniform(0.8, 1.2), word, place))
        kept: list[tuple[int, int, str]] = []
        free = begin
        for at, length, word, place in sorted(drawn):
            first, whole = math.ceil(at), math.ceil(length)
            if first >= free and first + whole <= run.end:
                kept.append((first, whole, word))
                free = first + whole
                if place != _USUAL:
                    lost[place] = lost.get(place, 0.0) + whole
        return kept

    @staticmethod
    def _moment(chance: np.random.Generator, begin: int, run: Run) -> tuple[float, float]:
        at = chance.uniform(begin, run.end)
        return at, min(_STOP_SECONDS * math.exp(0.6 * chance.standard_normal()), _LONGEST_STOP)

    def _counts(
        self, begin: int, run: Run, stands: Sequence[tuple[int, int, str]], lost: dict[int, float]
    ) -> Iterator[Happening]:
        cycle = run.product.cycle_seconds / self._pace
        if not cycle:
            return
        slow = {place: each.size for place, each, _ in self._acting("slow cycle", run)}
        taken = cycle * (1 + sum(slow.values()))
        edges = [begin, *range((begin // _HOUR + 1) * _HOUR, run.end, _HOUR), run.end]
        for first, last in pairwise(edges):
            stood = sum(max(0, min(at + length, last) - max(at, first)) for at, length, _ in stands)
            ran = last - first - stood
            pieces = int(ran / taken + self._usual.random())
            for place, size in slow.items():
                lost[place] = lost.get(place, 0.0) + ran * size / (1 + sum(slow.values()))
            scrap = int(self._usual.binomial(pieces, _SCRAP))
            for place, each, chance in self._acting("scrap", run):
                if each.signal and not each.shows(self._read(each.signal, first, last)):
                    continue
                more = int(chance.binomial(pieces - scrap, min(each.size, 1.0)))
                lost[place] = lost.get(place, 0.0) + more
                scrap += more
            for word, amount in (("good", pieces - scrap), ("scrap", scrap)):
                yield Happening("count", last, component=run.product.name, code=word, value=float(amount))

    def _acting(self, kind: str, run: Run) -> list[tuple[int, PlantedLoss, np.random.Generator]]:
        return [each for each in self._planted if each[1].kind == kind and each[1].on(self._day, run.product.name)]

"""The life of one machine, day by day: running, degrading, failing, being repaired.

Only calendar and chance decide here; what the sensors show of it comes later. So the truth of
years can be known in a moment, and a day never changes because more days are asked for.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from ingest.simulation.degradation import Degradation, Fate, draw_fate
from ingest.simulation.happening import Happening
from ingest.simulation.kind import Component
from ingest.simulation.scenario import Scenario, SimulatedMachine
from ingest.simulation.shifts import Span, after_running, days_from, local_second, planned_spans

_PLANNED_HOURS = 2.5


@dataclass(frozen=True, slots=True)
class LifeDay:
    """One local day of one machine.

    Attributes
    ----------
    begin, end : of the day, seconds since 1970 UTC
    running : spans in which the machine ran, in order
    happenings : failures, stops and maintenance that began on the day
    degradations : all that were there on the day, each with its track over the day
    """

    day: date
    begin: int
    end: int
    running: tuple[Span, ...]
    happenings: tuple[Happening, ...]
    degradations: tuple[Degradation, ...]


@dataclass(slots=True)
class _Part:
    component: Component
    fate: Fate
    age: float = 0.0
    degradation: Degradation | None = None

    def seconds_left(self) -> float:
        """Running time until the first sign, or until the failure once it has begun."""
        return (self.fate.onset if self.degradation is None else self.fate.failure) - self.age

    def mark(self, moment: int) -> None:
        """Write down how far the degradation is."""
        if self.degradation is not None:
            progress = (self.age - self.fate.onset) / self.fate.interval if self.fate.interval else 1.0
            self.degradation.track.append((moment, min(max(progress, 0.0), 1.0)))


class Life:
    """The life of one machine; iterate over ``days`` once.

    Parameters
    ----------
    fates : what is to happen to components first, by their names; what is left out is left to chance
    """

    def __init__(
        self, scenario: Scenario, machine: SimulatedMachine, fates: Mapping[str, Fate] = MappingProxyType({})
    ) -> None:
        self._scenario = scenario
        self._machine = machine
        self._pattern = scenario.pattern(machine.kind)
        self._chance = scenario.randomness(machine.name, "life")
        rate = scenario.failures_per_machine_year / len(machine.kind.components)
        self._mean_cycle = self._pattern.hours_per_year * 3600 / rate if rate else math.inf
        drawn = [(each, self._fate(each, used=True)) for each in machine.kind.components]
        self._parts = [_Part(each, fates.get(each.name, fate)) for each, fate in drawn]
        self._next_planned = scenario.begin + self._chance.random() * scenario.maintenance_every.total_seconds()
        self._turn = int(self._chance.integers(len(self._parts)))
        self._down_until = scenario.begin
        self._running: list[Span] = []
        self._happenings: list[Happening] = []
        self._seen: list[Degradation] = []

    def days(self) -> Iterator[LifeDay]:
        """Yield local days from the start of the scenario, for ever.

        The degradations of a day are filled in further on later days: take what you need of
        their tracks before you ask for the next day.
        """
        zone = self._scenario.zone
        for day in days_from(self._scenario.start):
            begin, end = (local_second(day, hour, zone) for hour in (0, 24))
            self._begin_day(begin)
            for span in planned_spans(self._pattern, day, zone):
                self._live(*span)
            for part in self._parts:
                part.mark(end)
            yield LifeDay(day, begin, end, tuple(self._running), tuple(self._happenings), tuple(self._seen))

    def _begin_day(self, begin: int) -> None:
        self._running, self._happenings, self._seen = [], [], []
        for part in self._parts:
            if part.degradation is not None:
                part.degradation.track.clear()
                self._seen.append(part.degradation)
                part.mark(begin)

    def _live(self, begin: int, end: int) -> None:
        now = max(begin, self._down_until)
        while now < end:
            if now >= self._next_planned:
                self._maintain(now)
                now = self._down_until
                continue
            part = min(self._parts, key=_Part.seconds_left)
            stop = min(end, now + max(math.ceil(min(part.seconds_left(), end - now)), 1), math.ceil(self._next_planned))
            self._run(now, stop)
            now = stop
            if part.seconds_left() <= 0:
                self._progress(part, now)
                now = max(now, self._down_until)

    def _run(self, begin: int, end: int) -> None:
        for part in self._parts:
            part.mark(begin)
            part.age += end - begin
            part.mark(end)
        if self._running and self._running[-1][1] == begin:
            begin = self._running.pop()[0]
        self._running.append((begin, end))

    def _progress(self, part: _Part, moment: int) -> None:
        """Begin the degradation whose time has come, or let it end in its failure."""
        if part.degradation is None:
            part.degradation = Degradation(part.component.name, part.fate, moment)
            part.mark(moment)
            self._seen.append(part.degradation)
        if part.seconds_left() <= 0:
            self._fail(part, moment)

    def _fail(self, part: _Part, moment: int) -> None:
        stand, spread = self._chance.standard_normal(2)
        wait = int(1800 * math.exp(0.5 * stand))
        back = moment + wait + int(part.component.repair_hours * 3600 * math.exp(0.35 * spread))
        mode, component = part.fate.mode.name, part.component.name
        self._happenings += [
            Happening("failure", moment, None, component, mode),
            Happening("stop", moment, back, component, "breakdown"),
            Happening("maintenance", moment + wait, back, component, "corrective"),
        ]
        self._renew(part, moment, "failed")
        self._down_until = back

    def _maintain(self, moment: int) -> None:
        part = self._parts[self._turn]
        self._turn = (self._turn + 1) % len(self._parts)
        back = moment + int(_PLANNED_HOURS * 3600 * math.exp(0.2 * self._chance.standard_normal()))
        component = part.component.name
        self._happenings += [
            Happening("stop", moment, back, component, "planned maintenance"),
            Happening("maintenance", moment, back, component, "planned"),
        ]
        self._renew(part, moment, "prevented")
        self._down_until = back
        self._next_planned += self._scenario.maintenance_every.total_seconds()

    def _renew(self, part: _Part, moment: int, outcome: str) -> None:
        if part.degradation is not None:
            part.mark(moment)
            left = max(part.seconds_left(), 0.0) if outcome == "prevented" else 0.0
            part.degradation.ended = moment
            part.degradation.outcome = outcome
            part.degradation.fails = after_running(self._pattern, self._scenario.zone, moment, left)
        part.fate = self._fate(part.component, used=False)
        part.age = 0.0
        part.degradation = None

    def _fate(self, component: Component, *, used: bool) -> Fate:
        return draw_fate(component, self._mean_cycle, self._scenario.sudden_share, self._chance, used=used)


def degradations(scenario: Scenario, machine: SimulatedMachine) -> list[Degradation]:
    """Return every degradation that began before the scenario's end, each lived to its own end.

    A degradation under way at the end of the files is followed into the days after them, so its
    failure is the one that a longer scenario or a live stream would show.
    """
    found: dict[int, Degradation] = {}
    for day in Life(scenario, machine).days():
        found |= {id(each): each for each in day.degradations if each.began < scenario.end}
        if day.end >= scenario.end and all(each.ended is not None for each in found.values()):
            return list(found.values())
    raise AssertionError("a life has no last day")

"""What is held in memory of a machine that is followed: newest readings, moments of panes, events."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from features.catalogue import BY_NAME
from features.held_panes import HeldPanes
from features.microsecond import microseconds
from features.moments import Floats, Moments, no_samples
from features.recipe import Recipe
from features.ring import Ring
from features.samples import Samples, samples_of
from features.summary import Group, fill_panes
from features.touched import holds
from features.usage import MachineEvents
from features.window import Grid
from ingest.event import NO_EVENTS
from ingest.history import History

MACHINES_AT_ONCE = 50
"""Machines whose newest readings are read from the store together."""

_NEVER = np.iinfo(np.int64).max
_USED = ("failure", "maintenance", "error")


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back what is held must reach; spans are whole microseconds.

    Attributes
    ----------
    signals : those of the recipe, then those that only tell whether and how a machine runs
    late : multiple of the stride; windows that end within it of a machine's newest one may change
    holds : how long after a reading it may decide whether others are left out
    samples : how far before the end of a window its samples are needed again; 0 where panes are enough
    """

    signals: tuple[str, ...]
    stride: int
    pane: int
    lengths: tuple[int, ...]
    lookback: int
    late: int
    holds: int
    samples: int

    @classmethod
    def of(cls, recipe: Recipe, late_within: timedelta) -> "Reach":
        """Return how far a recipe reaches."""
        stride, pane, lookback = (microseconds(each) for each in (recipe.stride, recipe.pane, recipe.lookback))
        asked = [each for each in (recipe.running, recipe.regimes) if each is not None]
        whole = bool(asked) or any(BY_NAME[name].one_by_one for name in recipe.features)
        return cls(
            signals=tuple(dict.fromkeys((*recipe.signals, *(name for each in asked for name in each.signals)))),
            stride=stride,
            pane=pane,
            lengths=tuple(microseconds(window) // pane for window in recipe.windows),
            lookback=lookback,
            late=-(-microseconds(late_within) // stride) * stride,
            holds=holds(recipe),
            samples=lookback + holds(recipe) if whole else 0,
        )

    def last_end(self, time: int) -> int:
        """Return the last window end at or before a time."""
        return time // self.stride * self.stride

    def final(self, newest: int) -> int:
        """Return the window end up to which nothing changes any more, given a machine's newest reading."""
        return self.last_end(newest) - self.late

    def grid(self, begin: int, end: int) -> Grid:
        """Return the panes of (begin, end], as if they belonged to one window end."""
        return Grid(begin, self.pane, (end - begin) // self.pane, np.array([end]), self.lengths)


@dataclass(slots=True)
class Live:
    """A machine that is followed; times are microseconds since 1970.

    Attributes
    ----------
    first, newest : times of its first and its newest reading
    given : window end up to which its rows were given
    since : earliest time of which something else came to be known since then; beyond all times if none did
    again : whether what is held is not enough, or not the newest, so that it is read from the store
    ring : newest readings, a column for each signal of the reach
    panes : moments from ``origin`` on, right up to ``made``
    states : its own states, which say whether it runs
    normal : its own normal, shape (n_signals, 1, 1); ``None`` while it is not known or known no more
    normal_ran : share of that time in which it ran
    """

    machine: str
    first: int
    newest: int
    given: int
    since: int = _NEVER
    again: bool = True
    ring: Ring = field(default_factory=lambda: Ring(_NEVER, np.empty(0, np.int64), np.empty((0, 0))))
    panes: HeldPanes = field(default_factory=lambda: HeldPanes(0))
    origin: int = _NEVER
    made: int = _NEVER
    events: MachineEvents = field(default_factory=lambda: MachineEvents.of(NO_EVENTS, [""])[""])
    states: pd.DataFrame = field(default_factory=lambda: NO_EVENTS)
    normal: Moments | None = None
    normal_ran: float = 1.0

    def due(self, reach: Reach) -> tuple[int, int]:
        """Return the window ends, (begin, end], whose rows are new or may have changed."""
        end = reach.last_end(self.newest)
        if self.since == _NEVER:
            return self.given, end
        return min(self.given, max(reach.last_end(self.since - 1), end - reach.late)), end

    def held(self, reach: Reach, begin: int, end: int) -> bool:
        """Return whether what is held is enough for the window ends in (begin, end]."""
        near = end - begin <= reach.lookback + reach.late
        return near and not self.again and self.origin <= begin + reach.stride - reach.lookback

    def lengthen(self, panes: Moments, begin: int, end: int, reach: Reach) -> None:
        """Put panes behind those that were made, and let go of what no window that ends after ``begin`` looks at."""
        self.let_go(begin, end, reach)
        self.panes.put(panes)
        self.made = end

    def let_go(self, begin: int, end: int, reach: Reach) -> None:
        """Let go of panes that are not right any more, and of what no window that ends after ``begin`` looks at."""
        oldest = min(begin, end - reach.late)
        origin = min(max(self.origin, oldest - reach.lookback), self.made)
        self.panes.keep((origin - self.origin) // reach.pane, (self.made - self.origin) // reach.pane)
        self.origin = origin
        self.ring.forget(oldest - reach.samples)

    def learn(self, time: int, row: Floats, reach: Reach, ever_since: int) -> None:
        """Take a reading that is not later than all others.

        Parameters
        ----------
        ever_since : readings up to then have a say in every later window
        """
        if time > self.ring.floor and not self.again:
            if not self.ring.put(time, row):
                return
            # Panes that no window looks at which may still change are left as they are.
            pane = (time - 1) // reach.pane * reach.pane
            self.made = min(self.made, max(pane, self.ring.floor + reach.holds))
        elif time + reach.holds > self.origin:
            self.again = True
        if time <= ever_since:
            self.normal = None
        self.first = min(self.first, time)
        self.since = min(self.since, time)


class HeldReadings:
    """The newest readings and states of all machines that are followed, as the batch code asks for them."""

    def __init__(self, reach: Reach, machines: Mapping[str, Live]) -> None:
        self._machines = machines
        self._place = {name: place for place, name in enumerate(reach.signals)}

    def samples(self, signals: Sequence[str], machines: Sequence[str], start: int, end: int) -> Samples:
        """Return readings in (start, end] of those that are held.

        Raises
        ------
        ValueError
            When some of them are not held any more.
        """
        places = [self._place[name] for name in signals]
        times, values = [], []
        for name in machines:
            ring = self._machines[name].ring
            if start < ring.floor:
                raise ValueError(f"{name}: readings after {start} µs are asked for, those after {ring.floor} are held")
            own, rows = ring.between(start, end)
            times.append(own.copy())
            # Adding 0.0 makes -0.0 and 0.0 one value, as it is done with what comes from a store.
            values.append(np.add(rows[:, places].T, 0.0, order="C"))
        if len(machines) == 1:
            return Samples(np.zeros(len(times[0]), np.int64), times[0], values[0])
        machine = np.repeat(np.arange(len(machines)), [len(each) for each in times])
        return Samples(machine, np.concatenate(times), np.concatenate(values, axis=1))

    def states(self, machines: Sequence[str], start: datetime, end: datetime) -> pd.DataFrame:
        """Return the machines' own states up to ``end``: earlier ones than those that are asked for say nothing new."""
        del start
        found = pd.concat([self._machines[name].states for name in machines], ignore_index=True)
        return found[found["time"] <= end].reset_index(drop=True)


def load_events(recipe: Recipe, history: History, lives: Sequence[Live]) -> None:
    """Take all events of some machines from the store."""
    names = [live.machine for live in lives]
    of_machine = MachineEvents.of(history.events(machines=names, kinds=_USED), names)
    states: dict[Any, pd.DataFrame] = {}
    if recipe.uses_state:
        found = history.events(machines=names, kinds=("state",))
        states = dict(iter(found[found["component"] == ""].groupby("machine")))
    for live in lives:
        live.events, live.states = of_machine[live.machine], states.get(live.machine, NO_EVENTS)


def load(recipe: Recipe, history: History, lives: Sequence[Live], reach: Reach, cells: int) -> None:
    """Take the newest readings of some machines from the store, as far back as their windows may change."""
    together: dict[int, list[Live]] = defaultdict(list)
    for live in lives:
        together[reach.last_end(live.newest)].append(live)
    for end, members in together.items():
        for first in range(0, len(members), MACHINES_AT_ONCE):
            _load(recipe, history, members[first : first + MACHINES_AT_ONCE], reach, end, cells)


def _load(recipe: Recipe, history: History, lives: Sequence[Live], reach: Reach, end: int, cells: int) -> None:
    names = [live.machine for live in lives]
    origin, floor = end - reach.late - reach.lookback, end - reach.late - reach.samples
    panes = fill_panes(recipe, history, group_of(recipe, lives), reach.grid(origin, end), cells)
    newest = max(live.newest for live in lives)
    samples = samples_of(history, recipe.machine_class, reach.signals, names, floor, newest)
    for place, live in enumerate(lives):
        own = samples.of_machine(place)
        live.panes = HeldPanes(len(recipe.signals))
        live.panes.put(panes.part((slice(None), slice(place, place + 1))))
        live.ring = Ring(floor, own.time.copy(), np.ascontiguousarray(own.values.T))
        live.origin, live.made, live.again = origin, end, False
        live.newest = max([live.newest, *own.time[-1:].tolist()])


def group_of(recipe: Recipe, lives: Sequence[Live]) -> Group:
    """Return machines as the batch code takes them together."""
    unknown = no_samples((len(recipe.signals), 1, 1))
    normal = [unknown if live.normal is None else live.normal for live in lives]
    fields: list[Any] = [np.concatenate(each, axis=1) for each in zip(*normal, strict=True)]
    baseline = 0 if recipe.baseline is None else microseconds(recipe.baseline)
    return Group(
        machines=tuple(live.machine for live in lives),
        restarts=tuple(live.events.restarts for live in lives),
        normal=Moments(*fields) if len(lives) > 1 else normal[0],
        normal_from=np.array([live.first + baseline for live in lives]),
        normal_ran=np.array([live.normal_ran for live in lives]),
    )

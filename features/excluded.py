"""Time that is left out: while a machine is known to be off, and while it settles after a start.

A signal's value holds until the next one comes, but no longer than some of its sampling intervals; a
state holds until the next one begins or it ends. What is not known counts as running, so that a dead
sensor switches no watch off. Whether a moment is left out depends on nothing later than itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.recipe import MICROSECOND
from features.running import Running
from features.samples import Samples, no_rows, samples_of
from features.window import EPOCH, Times, microseconds
from ingest.event import NO_EVENTS
from ingest.expression import Expression, Given
from ingest.store import History

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Excluded:
    """The time of one machine that is left out: spans begin ≤ t < stop in microseconds, ascending and apart."""

    begin: Times
    stop: Times

    def holds(self, times: Times) -> NDArray[np.bool_]:
        """Return whether each time is left out."""
        return np.searchsorted(self.begin, times, side="right") > np.searchsorted(self.stop, times, side="right")

    def within(self, begins: Times, ends: Times) -> Times:
        """Return how much of each span (begin, end] is left out, in microseconds."""
        return self._before(ends + 1) - self._before(begins + 1)

    def _before(self, times: Times) -> Times:
        known = np.concatenate([[0], np.cumsum(self.stop - self.begin)])
        place = np.searchsorted(self.begin, times, side="right")
        last = np.concatenate([[np.iinfo(np.int64).min], self.stop])[place]
        return known[place] - np.where(place > 0, np.maximum(last - times, 0), 0)


def excluded_time(
    running: Running, history: History, machine_class: str, machines: Sequence[str], start: int, end: int
) -> list[Excluded]:
    """Return what is left out of (start, end], for each machine; times in microseconds since 1970."""
    expression = running.read()
    settle, hold = microseconds(running.settle), microseconds(running.hold)
    since = start - settle - hold
    samples = no_rows(len(expression.signals))
    if expression.signals:
        samples = samples_of(history, machine_class, expression.signals, machines, since, end)
    states = NO_EVENTS
    if expression.uses_state:
        states = history.events(machines=machines, kinds=["state"], end=EPOCH + end * MICROSECOND)
        states = states[states["component"] == ""]
    states_of = dict(iter(states.groupby("machine")))
    found = []
    for place, machine in enumerate(machines):
        own = samples.of_machine(place)
        timeline = _Timeline.of(expression, own, states_of.get(machine, NO_EVENTS), hold, end)
        found.append(timeline.excluded(expression, settle, start + 1, end + 1))
    return found


@dataclass(frozen=True, slots=True)
class _Timeline:
    """Moments at which something changes, and what is known from each of them on."""

    moments: Times
    given: Given

    @classmethod
    def of(cls, expression: Expression, samples: Samples, states: pd.DataFrame, hold: int, end: int) -> "_Timeline":
        known = [~np.isnan(values) for values in samples.values]
        times = [samples.time[each] for each in known]
        begin = states["time"].to_numpy("datetime64[us]").astype(np.int64)
        stop = states["end"].to_numpy("datetime64[us]")
        over = np.where(np.isnat(stop), _NEVER, stop.astype(np.int64) + 1)
        codes = np.concatenate([[""], states["code"].to_numpy(object)])
        moments = np.unique(np.concatenate([*times, *(each + hold for each in times), begin, over]))
        moments = moments[moments <= end]
        signals = {}
        for name, own, values, each in zip(expression.signals, times, samples.values, known, strict=True):
            place = np.searchsorted(own, moments, side="right")
            value = np.concatenate([[np.nan], values[each]])[place]
            age = moments - np.concatenate([[0], own])[place]
            signals[name] = np.where(age < hold, value, np.nan)
        place = np.searchsorted(begin, moments, side="right")
        ended = moments >= np.concatenate([[0], over])[place]
        return cls(moments, Given(signals, np.where(ended, "", codes[place]).astype(object)))

    def excluded(self, expression: Expression, settle: int, first: int, stop: int) -> Excluded:
        """Return the spans within first ≤ t < stop at which the machine is off or settles."""
        truth = expression.truth(self.given)
        until = np.append(self.moments, _NEVER)[1:]
        started = truth.yes & ~np.concatenate([[False], truth.yes[:-1]])
        begin = np.concatenate([self.moments[truth.no], self.moments[started]])
        end = np.concatenate([until[truth.no], self.moments[started] + settle])
        begin, end = np.maximum(begin, first), np.minimum(end, stop)
        return _joined(begin[begin < end], end[begin < end])


def _joined(begin: Times, stop: Times) -> Excluded:
    order = np.argsort(begin, kind="stable")
    begin, reach = begin[order], np.maximum.accumulate(stop[order])
    fresh = np.concatenate([[True], begin[1:] > reach[:-1]]) if len(begin) else np.empty(0, np.bool_)
    last = np.concatenate([fresh[1:], [True]]) if len(begin) else fresh
    return Excluded(begin[fresh], reach[last])

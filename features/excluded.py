"""Time that is left out: while a machine is known to be off, and while it settles after a start.

A signal's value holds until the next one comes, but no longer than its maximum age; a
state holds until the next one begins or it ends. What is not known counts as running, so that a dead
sensor switches no watch off. Whether a moment is left out depends on nothing later than itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.align import aligned
from features.recipe import MICROSECOND
from features.running import Running
from features.samples import Past, Samples, no_rows, samples_of
from features.window import EPOCH, Times, microseconds
from ingest.event import NO_EVENTS
from ingest.expression import Expression, Given, Truth

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Spans:
    """Some of the time of one machine: spans begin ≤ t < stop in microseconds, ascending and apart."""

    begin: Times
    stop: Times

    def holds(self, times: Times) -> NDArray[np.bool_]:
        """Return whether each time lies in one of them."""
        return np.searchsorted(self.begin, times, side="right") > np.searchsorted(self.stop, times, side="right")

    def within(self, begins: Times, ends: Times) -> Times:
        """Return how much of each span (begin, end] lies in them, in microseconds."""
        return self._before(ends + 1) - self._before(begins + 1)

    def _before(self, times: Times) -> Times:
        known = np.concatenate([[0], np.cumsum(self.stop - self.begin)])
        place = np.searchsorted(self.begin, times, side="right")
        last = np.concatenate([[np.iinfo(np.int64).min], self.stop])[place]
        return known[place] - np.where(place > 0, np.maximum(last - times, 0), 0)


def excluded_time(
    running: Running, history: Past, machine_class: str, machines: Sequence[str], start: int, end: int
) -> list[Spans]:
    """Return what is left out of (start, end], for each machine; times in microseconds since 1970."""
    settle = microseconds(running.settle)
    found = _timelines(running, history, machine_class, machines, start - settle, end)
    return [each.excluded(settle, start + 1, end + 1) for each in found]


def ran_throughout(running: Running, history: Past, machine_class: str, machine: str, start: int, end: int) -> bool:
    """Return whether a machine is known to have run all through (start, end]."""
    (found,) = _timelines(running, history, machine_class, [machine], start, end)
    ran = found.running()
    return int(ran.within(np.array([start]), np.array([end]))[0]) == end - start


def _timelines(
    running: Running, history: Past, machine_class: str, machines: Sequence[str], start: int, end: int
) -> Iterator["_Timeline"]:
    """Yield what is known of each machine in (start, end]; what was read some time before still holds."""
    expression, hold = running.read(), microseconds(running.hold)
    holds = [microseconds(each) for each in running.max_ages]
    samples = no_rows(len(expression.signals))
    if expression.signals:
        samples = samples_of(history, machine_class, expression.signals, machines, start - hold, end)
    states = NO_EVENTS
    if expression.uses_state:
        # What began last before the start still holds then, and nothing earlier does.
        states = history.states(machines, *(EPOCH + each * MICROSECOND for each in (start, end)))
    states_of = dict(iter(states.groupby("machine")))
    for place, machine in enumerate(machines):
        yield _Timeline.of(expression, samples.of_machine(place), states_of.get(machine, NO_EVENTS), holds, end)


@dataclass(frozen=True, slots=True)
class _Timeline:
    """Moments at which something changes, and what is known of running from each of them on until the next."""

    moments: Times
    until: Times
    truth: Truth

    @classmethod
    def of(
        cls, expression: Expression, samples: Samples, states: pd.DataFrame, holds: Sequence[int], end: int
    ) -> "_Timeline":
        times = [samples.time[~np.isnan(values)] for values in samples.values]
        over_at = [own + hold for own, hold in zip(times, holds, strict=True)]
        begin = states["time"].to_numpy("datetime64[us]").astype(np.int64)
        stop = states["end"].to_numpy("datetime64[us]")
        over = np.where(np.isnat(stop), _NEVER, stop.astype(np.int64) + 1)
        codes = np.concatenate([[""], states["code"].to_numpy(object)])
        moments = np.unique(np.concatenate([*times, *over_at, begin, over]))
        moments = moments[moments <= end]
        # A span is over at its stop: what holds for five minutes is not known any more when they have passed.
        values = aligned(samples.time, samples.values, moments, [hold - 1 for hold in holds])
        signals = dict(zip(expression.signals, values, strict=True))
        place = np.searchsorted(begin, moments, side="right")
        ended = moments >= np.concatenate([[0], over])[place]
        truth = expression.truth(Given(signals, np.where(ended, "", codes[place]).astype(object)))
        return cls(moments, np.append(moments, _NEVER)[1:], truth)

    def running(self) -> Spans:
        """Return the spans at which the machine is known to run."""
        return _joined(self.moments[self.truth.yes], self.until[self.truth.yes])

    def excluded(self, settle: int, first: int, stop: int) -> Spans:
        """Return the spans within first ≤ t < stop at which the machine is off or settles."""
        started = self.truth.yes & ~np.concatenate([[False], self.truth.yes[:-1]])
        begin = np.concatenate([self.moments[self.truth.no], self.moments[started]])
        end = np.concatenate([self.until[self.truth.no], self.moments[started] + settle])
        begin, end = np.maximum(begin, first), np.minimum(end, stop)
        return _joined(begin[begin < end], end[begin < end])


def _joined(begin: Times, stop: Times) -> Spans:
    order = np.argsort(begin, kind="stable")
    begin, reach = begin[order], np.maximum.accumulate(stop[order])
    fresh = np.concatenate([[True], begin[1:] > reach[:-1]]) if len(begin) else np.empty(0, np.bool_)
    last = np.concatenate([fresh[1:], [True]]) if len(begin) else fresh
    return Spans(begin[fresh], reach[last])

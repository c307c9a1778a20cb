"""What is known of signals and states from each moment on at which one of them changes.

A signal's value holds until the next one comes, but no longer than its maximum age; a state holds until
the next one begins or it ends.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.align import aligned
from features.microsecond import EPOCH, MICROSECOND, Times
from features.samples import Past, Samples, no_rows, samples_of
from ingest.event import NO_EVENTS
from ingest.expression import Given

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Spans:
    """Some of the time of one machine: spans begin ≤ t < stop in microseconds, ascending and apart."""

    begin: Times
    stop: Times

    @classmethod
    def joined(cls, begin: Times, stop: Times) -> "Spans":
        """Return spans of any order that may overlap or meet."""
        order = np.argsort(begin, kind="stable")
        begin, reach = begin[order], np.maximum.accumulate(stop[order])
        fresh = np.concatenate([[True], begin[1:] > reach[:-1]]) if len(begin) else np.empty(0, np.bool_)
        last = np.concatenate([fresh[1:], [True]]) if len(begin) else fresh
        return cls(begin[fresh], reach[last])

    def holds(self, times: Times) -> NDArray[np.bool_]:
        """Return whether each time lies in one of them."""
        return np.searchsorted(self.begin, times, side="right") > np.searchsorted(self.stop, times, side="right")

    def without(self, others: "Spans") -> "Spans":
        """Return what of them lies in no other."""
        edges = np.unique(np.concatenate([self.begin, self.stop, others.begin, others.stop]))
        kept = (self.holds(edges) & ~others.holds(edges))[:-1]
        return Spans.joined(edges[:-1][kept], edges[1:][kept])

    def within(self, begins: Times, ends: Times) -> Times:
        """Return how much of each span (begin, end] lies in them, in microseconds."""
        return self._before(ends + 1) - self._before(begins + 1)

    def _before(self, times: Times) -> Times:
        known = np.concatenate([[0], np.cumsum(self.stop - self.begin)])
        place = np.searchsorted(self.begin, times, side="right")
        last = np.concatenate([[np.iinfo(np.int64).min], self.stop])[place]
        return known[place] - np.where(place > 0, np.maximum(last - times, 0), 0)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Moments at which something changes, and what is known from each of them on until the next."""

    moments: Times
    until: Times
    given: Given

    def where(self, true: NDArray[np.bool_]) -> Spans:
        """Return the spans that begin at some of the moments."""
        return Spans.joined(self.moments[true], self.until[true])


def timelines(
    signals: Sequence[str],
    ages: Sequence[int],
    history: Past,
    machine_class: str,
    machines: Sequence[str],
    start: int,
    end: int,
    *,
    states: bool,
) -> Iterator[Timeline]:
    """Yield what is known of each machine in (start, end]; what was read some time before still holds.

    Parameters
    ----------
    ages : how long a value of each signal holds when no other comes, in microseconds
    states : whether states are asked for, too
    """
    samples = no_rows(len(signals))
    if signals:
        samples = samples_of(history, machine_class, signals, machines, start - max(ages, default=0), end)
    found = NO_EVENTS
    if states:
        # What began last before the start still holds then, and nothing earlier does.
        found = history.states(machines, *(EPOCH + each * MICROSECOND for each in (start, end)))
    states_of = dict(iter(found.groupby("machine")))
    for place, machine in enumerate(machines):
        yield _timeline(signals, samples.of_machine(place), states_of.get(machine, NO_EVENTS), ages, end)


def _timeline(
    signals: Sequence[str], samples: Samples, states: pd.DataFrame, ages: Sequence[int], end: int
) -> Timeline:
    times = [samples.time[~np.isnan(values)] for values in samples.values]
    over_at = [own + age for own, age in zip(times, ages, strict=True)]
    begin = states["time"].to_numpy("datetime64[us]").astype(np.int64)
    stop = states["end"].to_numpy("datetime64[us]")
    over = np.where(np.isnat(stop), _NEVER, stop.astype(np.int64) + 1)
    codes = np.concatenate([[""], states["code"].to_numpy(object)])
    moments = np.unique(np.concatenate([*times, *over_at, begin, over]))
    moments = moments[moments <= end]
    # A span is over at its stop: what holds for five minutes is not known any more when they have passed.
    values = aligned(samples.time, samples.values, moments, [age - 1 for age in ages])
    place = np.searchsorted(begin, moments, side="right")
    ended = moments >= np.concatenate([[0], over])[place]
    given = Given(dict(zip(signals, values, strict=True)), np.where(ended, "", codes[place]).astype(object))
    return Timeline(moments, np.append(moments, _NEVER)[1:], given)

"""A characteristic of one machine on its control chart: what normal was learnt from, and what was signalled since."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from features.extract import extract
from features.recipe import Recipe
from features.running import Running
from features.sampling import signal_intervals
from features.window import window_ends
from ingest.duration import format_duration
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import Plant
from ingest.plant_characteristic import Characteristic
from models.efficiency.capability import Capability, Limits, capability
from models.efficiency.chart_document import digest_of, from_document, to_document
from models.efficiency.charted import SEED, Charted, Signal, against, numbers
from models.efficiency.look import Floats
from models.efficiency.phase_one import learnt
from models.efficiency.residual_chart import ResidualChart, designed
from models.efficiency.standing import Standing

REPLICATIONS = 2000
WATCHED = 0.25
"""Phases I that are played for the limits, and for how many requested run lengths: it is the number of false signals in
a year that is asked for, and is set to about 5 %, in seconds."""
LEAST_FILL = 0.5
"""A point of which less was read is missing."""
MANY_MISSING = 24
"""So many points without a value, one after the other, are told."""
MOST_OFF = 0.5
"""A span in which the machine stood for so much of it has no point, and is not missing."""
LOOKS_BACK = timedelta(days=400)
"""So much is charted at most, the newest; a matter that began before is still found, as if it had begun there."""


@dataclass(frozen=True, slots=True)
class Points:
    """The points of a characteristic of one machine, in order, only of time in which the machine ran.

    Attributes
    ----------
    means : mean of each span, by the end of the span in the plant's zone; NaN where too little was read
    singles : the last reading of each span, by the same times: what a tolerance is asked of
    """

    means: "pd.Series[float]"
    singles: "pd.Series[float]"

    def __len__(self) -> int:
        return len(self.means)

    def known(self) -> int:
        """Return how many of them have a value."""
        return int(np.isfinite(numbers(self.means)).sum())


@dataclass(frozen=True)
class Learnt:
    """A chart and what names it."""

    digest: str
    chart: ResidualChart

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return to_document(self.chart)


@dataclass(frozen=True)
class Watched:
    """A characteristic of one machine, up to a moment.

    Attributes
    ----------
    unit : of the signal
    phase_one : the first points, from which normal was learnt
    since : those after them that are charted
    learnt : the chart; ``None`` while there are too few points for one
    """

    characteristic: Characteristic
    machine: str
    unit: str
    phase_one: Points
    since: Points
    learnt: Learnt | None

    @property
    def stable(self) -> bool:
        """Whether there is a chart to go by."""
        return self.learnt is not None and self.learnt.chart.phase_one.stable

    @cached_property
    def charted(self) -> Charted | None:
        """The points since phase I beside the chart; ``None`` without one."""
        return None if self.learnt is None else against(self.learnt.chart, self.since.means)

    @property
    def lasts(self) -> Signal | None:
        """The newest matter that was signalled, while it lasts."""
        if not self.stable or self.charted is None or not self.charted.signals:
            return None
        newest = self.charted.signals[-1]
        return newest if newest.over is None else None

    @property
    def capability(self) -> Capability | None:
        """How well the newest points keep the tolerance, as many as phase I has; ``None`` with a reason beside it."""
        return self._capability[0]

    @property
    def no_capability(self) -> str:
        """Why there is no capability; empty where there is one."""
        return self._capability[1]

    @cached_property
    def _capability(self) -> tuple[Capability | None, str]:
        asked = self.characteristic
        if asked.lower is None and asked.upper is None:
            return None, "no tolerance is declared; write 'lower' and 'upper' in the plant file"
        if self.learnt is None:
            return None, "there are too few points yet"
        # Of single readings: means of an hour vary less than the pieces that are made in it.
        newest = pd.concat([self.phase_one.singles, self.since.singles]).iloc[-asked.phase_one :]
        try:
            phase = learnt(numbers(newest), np.random.default_rng(SEED))
        except ValueError as error:
            return None, str(error)
        return capability(phase, Limits(asked.lower, asked.upper)), ""

    @property
    def state(self) -> Standing:
        """How it stands, in a word."""
        if self.learnt is None:
            return "learning"
        if not self.stable:
            return "unstable"
        return "in control" if self.lasts is None else "shifted"

    @property
    def says(self) -> str:
        """How it stands, in one line."""
        if self.charted is None:
            return self._says_of_learning
        told = self.charted.sentence if not self.stable or self.lasts is None else self.lasts.sentence
        known = np.isfinite(numbers(self.since.means))
        silent = int(known[::-1].argmax()) if known.any() else len(known)
        return f"{told} Its newest {silent} points are missing." if silent >= MANY_MISSING else told

    @property
    def _says_of_learning(self) -> str:
        asked, known = self.characteristic, self.phase_one.known()
        told = f"Normal is being learnt: {known} of {asked.phase_one} points of {format_duration(asked.every)}"
        missing = len(self.phase_one) - known
        if missing <= known:
            return told
        return f"{told}; {missing} are missing, of which less was read than half of what 'every' of the signal promises"


def watched(
    plant: Plant,
    history: History,
    machine: str,
    characteristic: Characteristic,
    until: datetime,
    kept: dict[str, dict[str, Any]] | None = None,
) -> Watched:
    """Return how a characteristic of a machine stands.

    Parameters
    ----------
    until : nothing later is looked at
    kept : charts that were learnt before, as ``Learnt.to_dict``, by digest: the same phase I is not learnt twice

    Raises
    ------
    NotEnoughDataError
        Where nothing was read of the machine yet.
    """
    machine_class = plant.class_of(machine)
    span = history.spans(machine_class.name).get(machine)
    if span is None or span[0] >= until:
        raise NotEnoughDataError(f"nothing was read of {machine!r} yet")
    until = min(until, span[1] + characteristic.every)
    # A point belongs to phase I only if all of its span does.
    earliest = span[0] if characteristic.since is None else max(span[0], characteristic.since + characteristic.every)
    begin = earliest - timedelta(microseconds=1)
    first, rest_from = _phase_one(plant, history, machine, characteristic, begin, until)
    unit = next(each.unit for each in machine_class.signals if each.name == characteristic.signal)
    if first.known() < characteristic.phase_one:
        return Watched(characteristic, machine, unit, first, _none(plant), None)
    values = numbers(first.means)
    digest = digest_of(values, characteristic.run_length)
    document = (kept or {}).get(digest)
    try:
        chart = learn(values, characteristic) if document is None else from_document(document, values)
    except ValueError as error:
        raise NotEnoughDataError(f"{characteristic.signal} of {machine}: {error}") from error
    since = points(plant, history, machine, characteristic, max(rest_from, until - LOOKS_BACK), until)
    return Watched(characteristic, machine, unit, first, since, Learnt(digest, chart))


def learn(values: Floats, characteristic: Characteristic) -> ResidualChart:
    """Return the chart of a phase I, shape (n,), NaN where a point is missing; the same values teach the same.

    Raises
    ------
    ValueError
        Where the values do not vary, or too few have all values before them.
    """
    random = np.random.default_rng(SEED)
    return designed(learnt(values, random), characteristic.run_length, random, REPLICATIONS, WATCHED)


def points(
    plant: Plant, history: History, machine: str, characteristic: Characteristic, start: datetime, end: datetime
) -> Points:
    """Return the points whose spans end in (start, end], without those in which the machine did not run."""
    machine_class = plant.class_of(machine)
    sampling = signal_intervals(history, machine_class)
    recipe = Recipe(
        machine_class=machine_class.name,
        signals=(characteristic.signal,),
        windows=(characteristic.every,),
        stride=characteristic.every,
        features=("mean", "last"),
        every=(sampling[characteristic.signal],),
        running=Running.of(machine_class, sampling),
        min_fill=LEAST_FILL,
        least_samples=1,
    )
    table = extract(recipe, history, [machine], start, end)
    values = pd.DataFrame(table.values, pd.DatetimeIndex(table.time, tz="UTC"), ["mean", "last"])
    # Where nothing at all was read there is no row: that is missing, and not left out.
    rows = values.reindex(_ends(history, machine, characteristic, machine_class.name, start, end))
    if table.off is not None:
        rows = rows[~rows.index.isin(values.index[table.off >= MOST_OFF])]
    rows.index = pd.DatetimeIndex(rows.index).tz_convert(plant.zone)
    return Points(rows["mean"].rename(characteristic.signal), rows["last"].rename(characteristic.signal))


def _ends(
    history: History, machine: str, characteristic: Characteristic, machine_class: str, start: datetime, end: datetime
) -> pd.DatetimeIndex:
    """Return when spans end in (start, end], from the first reading of the machine to its newest."""
    first, newest = history.spans(machine_class)[machine]
    tick = timedelta(microseconds=1)
    ends = window_ends(characteristic.every, max(start, first - tick), min(end, newest + characteristic.every - tick))
    return pd.DatetimeIndex(ends.view("datetime64[us]"), tz="UTC")


def _phase_one(
    plant: Plant, history: History, machine: str, characteristic: Characteristic, begin: datetime, until: datetime
) -> tuple[Points, datetime]:
    """Return the first points, as many as are asked for, and when the last one ended; it reads on until there are."""
    length = characteristic.phase_one * characteristic.every
    while True:
        end = until if until - begin <= 2 * length else begin + 2 * length
        found = points(plant, history, machine, characteristic, begin, end)
        enough = np.flatnonzero(np.cumsum(np.isfinite(numbers(found.means))) >= characteristic.phase_one)
        if len(enough):
            count = int(enough[0]) + 1
            last = found.means.index[count - 1].to_pydatetime()
            return Points(found.means.iloc[:count], found.singles.iloc[:count]), last
        if end >= until:
            return found, until
        length *= 2


def _none(plant: Plant) -> Points:
    nothing = pd.Series(np.empty(0), pd.DatetimeIndex([], tz=plant.zone))
    return Points(nothing, nothing)

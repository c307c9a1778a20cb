"""A series charted against its phase I: signals with since when, and one sentence for an engineer."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from models.efficiency.autoregression import overall_sigma
from models.efficiency.change_point import change_point
from models.efficiency.cusum import cumulative_sum
from models.efficiency.look import Floats
from models.efficiency.phase_one import PhaseOne, learnt
from models.efficiency.residual_chart import REPLICATIONS, ResidualChart, designed

SEED = 0
"""Of the simulation where no generator is given: the same data always have the same limits."""
BACK = float(np.log(1000))
"""A matter is over where later points make it a thousand times likelier that the level is back than that it is not."""
LARGEST_STEP = 3.0
"""Of a larger one a single point would tell, in standard deviations of the residuals."""
ANOTHER = 2.0
"""A signal to the same side that is so many times as large is another matter."""
FIRST_STRETCH = 256


@dataclass(frozen=True, slots=True)
class Since:
    """When the level most likely stepped, and between which times with 95 % credibility."""

    at: pd.Timestamp
    earliest: pd.Timestamp
    latest: pd.Timestamp


@dataclass(frozen=True, slots=True)
class Shift:
    """A level that moved: since when, and by how much, in the series' unit."""

    since: Since
    size: float


@dataclass(frozen=True, slots=True)
class Signal:
    """One matter that the chart signalled.

    Attributes
    ----------
    at : time of the point that completed it
    rule : "jump" of one point or "shift" that lasts
    size : how far the level moved from ``since`` to ``at``, in the series' unit; of a jump: how far the point lies
        from what those before it let expect
    last, count : the last point of the same matter that signalled, and how many did; the chart starts anew after each
    shift : the newest of them that was a shift, or the jump that was signalled again; ``None`` for a single jump
    over : the point at which the level was back, or another matter began; ``None`` while the matter lasts
    sentence : what to tell an engineer, without the later points
    """

    at: pd.Timestamp
    rule: str
    direction: Literal["up", "down"]
    since: Since
    size: float
    last: pd.Timestamp
    count: int
    shift: Shift | None
    over: pd.Timestamp | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Charted:
    """A series beside its chart.

    Attributes
    ----------
    chart : limits, model and phase I
    centre, sigma : the level and the standard deviation of single values in control, in the series' unit
    autocorrelation : φ_1, φ_2, … of the model, as many as its order
    points : one row for each value of the series, columns ``value``, ``expected`` (from the values before), ``low`` and
        ``high`` (limits of a jump), ``score`` (the residual in standard deviations), ``signal``
    signals : in order of time
    sentence : whether the process was stable in phase I and what was found since
    """

    chart: ResidualChart
    centre: float
    sigma: float
    autocorrelation: tuple[float, ...]
    points: pd.DataFrame
    signals: tuple[Signal, ...]
    sentence: str

    @property
    def phase_one(self) -> PhaseOne:
        """What the chart was learnt from, with its verdict."""
        return self.chart.phase_one


def charted(
    series: "pd.Series[float]",
    phase_one: "pd.Series[float]",
    requested_run_length: float = 370,
    random: np.random.Generator | None = None,
    replications: int = REPLICATIONS,
) -> Charted:
    """Chart a series against the normal of its phase I.

    The chart is made also where phase I is unstable, for the eye; the sentence says so, and so does the verdict.

    Parameters
    ----------
    series : values indexed by time, ascending, evenly spaced or one for each piece; NaN where one is missing. Charting
        begins once as many values as the model looks back have come.
    phase_one : earlier values at the same spacing, at least 50; 500 make single charts run as long as asked for
    requested_run_length : points to a false signal, on average; 20 to 5000
    random : for the simulation of the limits; seeded with 0 where none is given
    replications : simulated procedures

    Raises
    ------
    ValueError
        Where phase I is too short or does not vary, times do not ascend, or the run length cannot be held.
    """
    for name, values in (("series", series), ("phase I", phase_one)):
        if not values.index.is_monotonic_increasing:
            raise ValueError(f"the times of the {name} must ascend; sort it first")
    random = random or np.random.default_rng(SEED)
    learning = learnt(numbers(phase_one), random)
    chart = designed(learning, requested_run_length, random, replications)
    return against(chart, series)


def against(chart: ResidualChart, series: "pd.Series[float]") -> Charted:
    """Chart a series by a chart that was learnt before."""
    values = numbers(series)
    times = pd.DatetimeIndex(series.index)
    residuals = chart.residuals(values)
    scores = chart.standardised(residuals)
    signals = _matters(chart, _signals(chart, residuals, scores, times, values), scores, times)
    low, high = (chart.scores.residual_at(side * chart.chart.jump_limit) for side in (-1, 1))
    expected = values - residuals
    points = pd.DataFrame(
        {
            "value": values,
            "expected": expected,
            "low": expected + low,
            "high": expected + high,
            "score": scores,
            "signal": times.isin([each.at for each in signals]),
        },
        index=series.index,
    )
    order = int(chart.model.order[0])
    return Charted(
        chart=chart,
        centre=float(chart.model.centre[0]),
        sigma=overall_sigma(chart.model),
        autocorrelation=tuple(float(phi) for phi in chart.model.coefficients[0, :order]),
        points=points,
        signals=signals,
        sentence=_summary(chart, signals, series.name),
    )


def numbers(series: "pd.Series[float]") -> Floats:
    """Return the values of a series, NaN where one is missing."""
    return np.asarray(series.to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)


def _signals(
    chart: ResidualChart, residuals: Floats, scores: Floats, times: pd.DatetimeIndex, values: Floats
) -> list[Signal]:
    """Return a signal for each time that the chart, started anew after the one before, signals."""
    places = np.flatnonzero(np.isfinite(scores))
    known = scores[places]
    found: list[Signal] = []
    start = 0
    while (hit := _first(chart, known, start)) is not None:
        stop, rule, up = hit
        stretch = places[start : stop + 1]
        change = change_point(residuals[stretch] / chart.model.sigma[0], chart.model.coefficients[0])
        since = Since(*(times[stretch[place]] for place in (change.first, change.low, change.high)))
        jump = rule == "jump"
        size = float(residuals[stretch[-1]] if jump else change.size * chart.model.sigma[0])
        found.append(_signal(chart, times[stretch[-1]], rule, up, since, size, values[stretch[-1]]))
        start = stop + 1
    return found


def _first(chart: ResidualChart, known: Floats, start: int) -> tuple[int, str, bool] | None:
    """Return place, rule and direction of the first signal from ``start`` on."""
    size = FIRST_STRETCH
    while start < len(known):
        look = chart.chart.look(known[start : start + size])
        signals = look.signals
        if signals.any():
            place = int(signals.argmax())
            rule = int(look.fired[:, place].argmax())
            return start + place, chart.chart.rules[rule], bool(look.side[rule, place] > 0)
        if start + size >= len(known):
            return None
        size *= 4
    return None


def _signal(
    chart: ResidualChart, at: pd.Timestamp, rule: str, up: bool, since: Since, size: float, value: float
) -> Signal:
    centre = float(chart.model.centre[0])
    run_length = f"by chance once in {chart.requested:,.0f} points"
    if rule == "jump":
        sentence = (
            f"At {_time(at)} the value of {value:.4g} lies {abs(size):.3g} {'above' if up else 'below'} what the values"
            f" before it let expect; the chart signals {run_length}."
        )
    else:
        sentence = (
            f"Since about {_time(since.at)} (95 %: {_time(since.earliest)} to {_time(since.latest)}) the level lies"
            f" {abs(size):.3g} {'above' if up else 'below'} its normal of {centre:.4g}; seen at {_time(at)},"
            f" {run_length}."
        )
    shift = None if rule == "jump" else Shift(since, size)
    return Signal(at, rule, "up" if up else "down", since, size, at, 1, shift, None, sentence)


def _matters(chart: ResidualChart, found: list[Signal], scores: Floats, times: pd.DatetimeIndex) -> tuple[Signal, ...]:
    """Join signals that tell of one matter, and find where each matter was over."""
    joined: list[Signal] = []
    places = [int(times.searchsorted(each.at)) for each in found]
    for each, place, until in zip(found, places, [*places[1:], len(times)], strict=False):
        matter = each
        before = joined[-1] if joined else None
        if before is not None and before.over is None:
            if before.direction == each.direction and not _much_larger(chart, each, before):
                joined.pop()
                # A jump that is signalled again was a shift.
                shift = each.shift or before.shift or Shift(before.since, before.size)
                matter = replace(before, last=each.last, count=before.count + 1, shift=shift)
            else:
                joined[-1] = replace(before, over=each.at)
        back = _back(chart, matter, scores[place + 1 : until])
        joined.append(matter if back is None else replace(matter, over=times[place + 1 + back]))
    return tuple(joined)


def _much_larger(chart: ResidualChart, signal: Signal, before: Signal) -> bool:
    """Say whether a signal tells of more than a matter that is known; one point scatters by what a jump takes."""
    known = ANOTHER * max(abs(before.size), 0.0 if before.shift is None else abs(before.shift.size))
    scatter = chart.chart.jump_limit * float(chart.model.sigma[0]) if signal.rule == "jump" else 0.0
    return abs(signal.size) > known + scatter


def _back(chart: ResidualChart, matter: Signal, scores: Floats) -> int | None:
    """Return at which of the scores after its last signal a matter was over; ``None`` while it lasts.

    They are weighed by the ratio of their likelihoods without and with half of the step: what was signalled is told too
    large on average.
    """
    size = matter.size if matter.shift is None else matter.shift.size
    step = abs(size) * (1 - float(chart.model.memory[0])) / float(chart.model.sigma[0])
    weight = min(max(step / 2, float(chart.chart.reference)), LARGEST_STEP)
    side = 1.0 if matter.direction == "up" else -1.0
    places = np.flatnonzero(np.isfinite(scores))
    weighed = cumulative_sum(-weight * side * scores[places], -weight * weight / 2)
    over = np.flatnonzero(weighed > BACK)
    return int(places[over[0]]) if len(over) else None


def _summary(chart: ResidualChart, signals: tuple[Signal, ...], name: object) -> str:
    """Return the whole in one or two sentences."""
    phase = chart.phase_one
    of = f" of {name}" if name is not None else ""
    known = int(np.isfinite(phase.values).sum())
    if not phase.stable:
        basis = f"Phase I{of} was not stable: {'; '.join(phase.why)}. Do not trust its limits"
    elif phase.left_out:
        basis = f"Phase I{of} was stable in {known} values once {len(phase.left_out)} outliers were left out"
    else:
        basis = f"Phase I{of} was stable in {known} values"
    said = f"{len(signals)} signals since" if len(signals) != 1 else "1 signal since"
    return f"{basis}; {said}, at a requested false signal in {chart.requested:,.0f} points."


def _time(moment: pd.Timestamp) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"

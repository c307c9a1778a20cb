"""A meter against its baseline, drawn: power within its band, and the running sum of what was saved."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from features.microsecond import HOUR, time_of
from models.efficiency.energy.review import EnergyReview
from models.efficiency.energy.saving import Turn
from service.dashboard.axis import number
from service.dashboard.band_chart import BandChart
from service.dashboard.chart import PIXELS, Chart, Mark, Span, bounds_of, draw, ribbon
from service.series import Series

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EnergyPicture:
    """One meter of one machine.

    Attributes
    ----------
    power : actual against expected with the band of good time; ``None`` where nothing was read in the span
    running_sum : of kWh saved since the baseline period; ``None`` without a baseline
    turns : in words, the newest first
    lost : whether energy is lost since the newest turn
    """

    review: EnergyReview
    power: BandChart | None
    running_sum: Chart | None
    turns: tuple[str, ...]
    lost: bool


def energy_picture(review: EnergyReview, span: Span) -> EnergyPicture:
    """Draw what one meter tells of a span."""
    turns = () if review.savings is None else review.savings.turns
    return EnergyPicture(
        review,
        _power(review, span),
        _running_sum(review, span),
        tuple(_told(each) for each in reversed(turns)),
        bool(turns) and turns[-1].after < 0,
    )


def _power(review: EnergyReview, span: Span) -> BandChart | None:
    periods = review.periods.between(span.start, span.end)
    known = np.isfinite(periods.power)
    if not known.any():
        return None
    time = _middle(periods.begin, periods.hours)
    actual = Series(time[known], periods.power[known])
    if review.baseline is None:
        return BandChart(draw("power", "kW", _thinned(actual), span), "", "")
    expected, low, high = review.baseline.expected_band(periods)
    said = np.isfinite(expected) & np.isfinite(low) & np.isfinite(high)
    shown = np.concatenate([actual.value, low[said], high[said]])
    bounds = bounds_of(shown)
    drawn = draw("power, actual against expected", "kW", _thinned(actual), span, bounds=bounds)
    both = said & known
    inside = int(((periods.power >= low) & (periods.power <= high))[both].sum())
    told = f" {inside:,} of {int(both.sum()):,} periods lie within the band of good time."
    lows, highs, middle = (_thinned(Series(time[said], each[said])) for each in (low, high, expected))
    return BandChart(
        replace(drawn, summary=drawn.summary + told),
        ribbon(lows, highs, span, bounds),
        draw("expected", "kW", middle, span, bounds=bounds).path,
    )


def _running_sum(review: EnergyReview, span: Span) -> Chart | None:
    if review.savings is None or not len(review.periods):
        return None
    periods, found = review.periods, review.savings
    times = (periods.begin + np.round(periods.hours * HOUR).astype(np.int64)).view("datetime64[us]")
    whole = Span(time_of(int(periods.begin[0])), time_of(int(periods.end[-1])), span.zone)
    marks = [
        Mark(
            datetime.combine(each.day, datetime.min.time(), span.zone),
            None,
            "alert" if each.after < 0 else "turn",
            _told(each),
        )
        for each in found.turns
    ]
    title = "saved against the baseline, running sum (falling: more is used than expected)"
    return draw(title, "kWh", _thinned(Series(times, found.cusum)), whole, marks=marks)


def _told(turn: Turn) -> str:
    between = f"between {turn.earliest:%d %b} and {turn.latest:%d %b}"
    now = f"{number(abs(turn.after))} kWh a day {'more is used than expected' if turn.after < 0 else 'are saved'}"
    return f"{turn.day.day} {turn.day:%b %Y} ({between}): since then {now}; seen {turn.seen.day} {turn.seen:%b}"


def _thinned(series: Series) -> Series:
    """Keep every so many values: of a band, thinning by lowest and highest would not keep both edges together."""
    return Series(series.time[:: _step(len(series))], series.value[:: _step(len(series))])


def _step(count: int) -> int:
    return max(1, count // PIXELS)


def _middle(begin: NDArray[np.int64], hours: Floats) -> NDArray[np.datetime64]:
    return (begin + np.round(hours * HOUR / 2).astype(np.int64)).view("datetime64[us]")

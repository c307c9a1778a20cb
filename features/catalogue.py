"""Every feature by name: its function, formula and unit, and what it tells an engineer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from features import time_domain, trend
from features.column import Column, feature_of, span_text
from features.moments import Floats, Moments

LEAST_SAMPLES = 3
LEAST_SHARE = 0.3
LARGEST = 1e100
"""A feature beyond it is missing, so that models may square and sum features without overflow."""

Kind = Literal["moments", "newest", "compared", "baseline", "samples", "ordered", "clock", "count"]
Tells = Literal["level", "value", "spread", "shape", "trend", "clock", "count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature that a recipe may name.

    Attributes
    ----------
    kind : what it is made from: ``moments`` of a window, ``newest`` of the shortest one only,
        ``compared`` with the next longer window, ``baseline``: compared with the machine's own normal,
        ``samples`` or ``ordered`` samples one by one (slower), ``clock`` and ``count`` of events
    tells : what it says of the signal: its ``level`` (where most readings lie), a single ``value`` that it
        took, its ``spread`` around the level, the ``shape`` of that spread, its ``trend``; or what a
        ``clock`` of the machine or a ``count`` of events says
    words : how a sentence names it; ``{window}``, ``{against}`` and ``{part}`` are filled in
    unit : ``{unit}`` stands for the signal's
    by_kernel : whether ``kernels.windows`` computes it from samples
    """

    name: str
    kind: Kind
    tells: Tells
    words: str
    formula: str
    unit: str
    meaning: str
    of_moments: Callable[[Moments], Floats] | None = None
    of_two: Callable[[Moments, Moments], Floats] | None = None
    of_rows: Callable[[Floats], Floats] | None = None
    by_kernel: bool = False

    @property
    def one_by_one(self) -> bool:
        """Whether it looks at each sample of a window."""
        return self.by_kernel or self.of_rows is not None

    @property
    def against_itself(self) -> bool:
        """Whether it measures a machine against its own beginning, and so means the same on each of them."""
        return self.kind == "baseline"

    @property
    def absolute(self) -> bool:
        """Whether it differs between machines by their nature."""
        return self.tells in ("level", "value", "spread") and not self.against_itself

    @property
    def reads_as_signal(self) -> bool:
        """Whether a person can hold it against what the machine shows: a reading, or what readings lie around."""
        return self.tells in ("level", "value") and not self.against_itself


FEATURES: tuple[Feature, ...] = (
    Feature(
        name="mean",
        kind="moments",
        tells="level",
        words="{window} mean",
        formula="m = Σ x / n",
        unit="{unit}",
        meaning="The level. Slow wear, fouling and leaks move it.",
        of_moments=time_domain.mean,
    ),
    Feature(
        name="standard_deviation",
        kind="moments",
        tells="spread",
        words="{window} standard deviation",
        formula="√(Σ (x − m)² / n)",
        unit="{unit}",
        meaning="How restless the signal is. Looseness, cavitation and hunting control raise it; a stuck sensor has 0.",
        of_moments=time_domain.standard_deviation,
    ),
    Feature(
        name="minimum",
        kind="moments",
        tells="value",
        words="{window} minimum",
        formula="min x",
        unit="{unit}",
        meaning="The lowest reading: pressure drops, stops, supply dips.",
        of_moments=time_domain.minimum,
    ),
    Feature(
        name="maximum",
        kind="moments",
        tells="value",
        words="{window} maximum",
        formula="max x",
        unit="{unit}",
        meaning="The highest reading: overheating, overload, shocks.",
        of_moments=time_domain.maximum,
    ),
    Feature(
        name="range",
        kind="moments",
        tells="spread",
        words="{window} range",
        formula="max x − min x",
        unit="{unit}",
        meaning="How far the signal swings, outliers included: strokes, load changes, a sensor that jumps.",
        of_moments=time_domain.value_range,
    ),
    Feature(
        name="energy",
        kind="moments",
        tells="spread",
        words="{window} energy",
        formula="Σ x²",
        unit="{unit}²",
        meaning="What a signal around zero carried in all; it grows with the number of samples, the RMS does not.",
        of_moments=time_domain.energy,
    ),
    Feature(
        name="root_mean_square",
        kind="moments",
        tells="level",
        words="{window} RMS",
        formula="√(Σ x² / n)",
        unit="{unit}",
        meaning="Energy of a signal around zero, such as vibration; for others it follows the mean.",
        of_moments=time_domain.root_mean_square,
    ),
    Feature(
        name="skewness",
        kind="moments",
        tells="shape",
        words="{window} skewness",
        formula="Σ (x − m)³ / n / σ³; NaN when all samples are equal",
        unit="",
        meaning="One-sidedness: positive when rare values lie far above. Rubbing and clipping show here.",
        of_moments=time_domain.skewness,
    ),
    Feature(
        name="kurtosis",
        kind="moments",
        tells="shape",
        words="{window} kurtosis",
        formula="Σ (x − m)⁴ / n / σ⁴ − 3; NaN when all samples are equal",
        unit="",
        meaning="Rare large deviations: 0 for normal noise, higher with impacts such as early bearing damage.",
        of_moments=time_domain.kurtosis,
    ),
    Feature(
        name="crest_factor",
        kind="moments",
        tells="shape",
        words="{window} crest factor",
        formula="max |x| / √(Σ x² / n); NaN when the RMS is 0",
        unit="",
        meaning="Peak over RMS; rises with the first impacts, falls again as the noise floor rises.",
        of_moments=time_domain.crest_factor,
    ),
    Feature(
        name="slope",
        kind="moments",
        tells="trend",
        words="{window} slope",
        formula="Σ (t − t̄)(x − m) / Σ (t − t̄)², t in hours",
        unit="{unit}/h",
        meaning="Where the signal is going, by least squares against the true times of the samples.",
        of_moments=trend.slope,
    ),
    Feature(
        name="slope_error",
        kind="moments",
        tells="trend",
        words="standard error of the {window} slope",
        formula="√((Σ (x − m)² − slope² Σ (t − t̄)²) / (n − 2) / Σ (t − t̄)²)",
        unit="{unit}/h",
        meaning="How uncertain the slope is if the samples were independent; real ones are less certain.",
        of_moments=trend.slope_error,
    ),
    Feature(
        name="last",
        kind="newest",
        tells="value",
        words="last value",
        formula="newest x of the shortest window",
        unit="{unit}",
        meaning="The newest reading.",
        of_moments=time_domain.last,
    ),
    Feature(
        name="mean_change",
        kind="compared",
        tells="trend",
        words="{window} mean against {against}",
        formula="m(window) − m(next longer window)",
        unit="{unit}",
        meaning="A recent change of level, whatever this machine's usual level is.",
        of_two=trend.mean_difference,
    ),
    Feature(
        name="mean_shift",
        kind="baseline",
        tells="level",
        words="{window} mean against its own normal",
        formula="m(window) − m(first `baseline` of the machine's history)",
        unit="{unit}",
        meaning="Distance from the machine's own normal level; machines of one class differ by nature.",
        of_two=trend.mean_difference,
    ),
    Feature(
        name="spread_ratio",
        kind="baseline",
        tells="spread",
        words="{window} standard deviation over its own normal",
        formula="σ(window) / σ(first `baseline` of the machine's history)",
        unit="",
        meaning="How much more restless than when it was new; 1 is as usual.",
        of_two=trend.spread_ratio,
    ),
    Feature(
        name="quantile_10",
        kind="samples",
        tells="value",
        words="{window} lower tenth",
        formula="10 % quantile, linear between samples",
        unit="{unit}",
        meaning="A low level that a single outlier does not move.",
        by_kernel=True,
    ),
    Feature(
        name="median",
        kind="samples",
        tells="level",
        words="{window} median",
        formula="50 % quantile, linear between samples",
        unit="{unit}",
        meaning="The level, deaf to outliers.",
        by_kernel=True,
    ),
    Feature(
        name="quantile_90",
        kind="samples",
        tells="value",
        words="{window} upper tenth",
        formula="90 % quantile, linear between samples",
        unit="{unit}",
        meaning="A high level that a single outlier does not move.",
        by_kernel=True,
    ),
    Feature(
        name="mean_crossing_rate",
        kind="samples",
        tells="shape",
        words="{window} share of mean crossings",
        formula="steps in which x passes through m / (n − 1)",
        unit="",
        meaning="0.5 for noise, near 0 for a drift, near 1 for a hunting control loop.",
        by_kernel=True,
    ),
    Feature(
        name="zero_crossing_rate",
        kind="samples",
        tells="shape",
        words="{window} share of zero crossings",
        formula="steps in which x passes through 0 / (n − 1)",
        unit="",
        meaning="How often a signal around zero changes its sign: a rough frequency of vibration and current.",
        by_kernel=True,
    ),
    Feature(
        name="autocorrelation",
        kind="samples",
        tells="shape",
        words="{window} autocorrelation",
        formula="Σ (xᵢ − m)(xᵢ₊₁ − m) / Σ (x − m)²; NaN when all samples are equal",
        unit="",
        meaning="Likeness of neighbouring samples: 0 for noise, near 1 for a slow signal, negative for a hunting loop.",
        by_kernel=True,
    ),
    Feature(
        name="dominant_frequency",
        kind="samples",
        tells="shape",
        words="{window} dominant frequency",
        formula="frequency of the largest power above 0 (Hann, mean taken off); NaN unless regularly sampled",
        unit="Hz",
        meaning="The rhythm that rules the signal: running speed, a cycle, a control loop that swings.",
        by_kernel=True,
    ),
    *(
        Feature(
            name=f"band_power_{number}",
            kind="samples",
            tells="spread",
            words=f"{{window}} power in the {which} quarter of its frequencies",
            formula=f"power from {number - 1} to {number} eighths of the sampling rate; NaN unless regularly sampled",
            unit="{unit}²",
            meaning=meaning,
            by_kernel=True,
        )
        for number, which, meaning in (
            (1, "lowest", "Slow movement: drift, load and temperature. The four bands add up to about the variance."),
            (2, "second", "Power between slow movement and the middle of what the sampling can see."),
            (3, "third", "Power above the middle of what the sampling can see."),
            (4, "highest", "The fastest movement that the sampling can see: noise, impacts, chatter."),
        )
    ),
    Feature(
        name="hours_in_service",
        kind="clock",
        tells="clock",
        words="hours in service",
        formula="hours since the later of first reading and last failure",
        unit="h",
        meaning="Age, for machines that are new when their readings begin.",
    ),
    Feature(
        name="hours_since_failure",
        kind="clock",
        tells="clock",
        words="hours since last failure",
        formula="hours since a failure was over (its end if it lasts); NaN before the first",
        unit="h",
        meaning="Infant mortality and wear-out after repair.",
    ),
    Feature(
        name="hours_since_maintenance",
        kind="clock",
        tells="clock",
        words="hours since maintenance of {part}",
        formula="hours since maintenance or failure of the component was over; NaN before the first",
        unit="h",
        meaning="Wear of the component; events that name no component stand for the whole machine.",
    ),
    Feature(
        name="errors",
        kind="count",
        tells="count",
        words="{part} in {window}",
        formula="number of error events in the window",
        unit="",
        meaning="Controllers often complain before a component gives up.",
    ),
)

BY_NAME: dict[str, Feature] = {feature.name: feature for feature in FEATURES}


def feature_in(name: str) -> Feature:
    """Return the feature that a column of this name holds.

    Examples
    --------
    >>> feature_in("voltage__mean_change__3h_vs_24h").tells, feature_in("errors__error1__24h").tells
    ('trend', 'count')
    """
    return BY_NAME[feature_of(name)]


def describe(column: Column) -> str:
    """Return a column in the words of a sentence.

    Examples
    --------
    >>> from datetime import timedelta
    >>> describe(Column(feature="mean", signal="voltage", window=timedelta(hours=24)))
    '24 h mean'
    >>> describe(Column(feature="errors", part="error1", window=timedelta(days=7)))
    'error1 in 7 d'
    """
    return BY_NAME[column.feature].words.format(
        window="" if column.window is None else span_text(column.window),
        against="" if column.against is None else span_text(column.against),
        part=column.part or ("errors" if column.feature == "errors" else "the machine"),
    )


def unit_of(column: Column, signal_unit: str) -> str:
    """Return the unit of a column's numbers; empty when they have none.

    Examples
    --------
    >>> unit_of(Column(feature="slope", signal="voltage"), "V")
    'V/h'
    """
    unit = BY_NAME[column.feature].unit.format(unit=signal_unit)
    return unit if signal_unit else {"/h": "1/h", "²": ""}.get(unit, unit)

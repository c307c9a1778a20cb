"""Every feature by name: its function, formula and unit, and what it tells an engineer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from features import change, entropy, factor, quantiles, steps, time_domain, trend
from features.column import Column, feature_of, span_text
from features.limits import Limits, Which, share_above, share_below
from features.measures import MEASURES, Measure
from features.moments import Floats, Moments

LEAST_SAMPLES = 3
LEAST_SHARE = 0.3
LARGEST = 1e100
"""A feature beyond it is missing, so that models may square and sum features without overflow."""

Kind = Literal[
    "moments",
    "newest",
    "compared",
    "baseline",
    "samples",
    "ordered",
    "timed",
    "limits",
    "snapshot",
    "newest_snapshot",
    "expected",
    "regime",
    "clock",
    "count",
]
Tells = Literal["level", "value", "spread", "shape", "trend", "limits", "context", "clock", "count"]
Cost = Literal["panes", "samples", "sorting", "snapshots", "states", "events", "model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature that a recipe may name.

    Attributes
    ----------
    kind : what it is made from: ``moments`` of a window, ``newest`` of the shortest one only,
        ``compared`` with the next longer window, ``baseline``: compared with the machine's own normal,
        ``samples`` or ``ordered`` samples one by one (slower), ``timed`` samples with their times,
        ``limits``: such samples against the limits of the signal, ``snapshot``: the mean over the snapshots of
        a waveform, ``newest_snapshot`` of the shortest window only, ``expected``: against what a model has
        learnt to expect from the other signals, ``regime``: how the machine runs, ``clock`` and ``count`` of events
    tells : what it says of the signal: its ``level`` (where most readings lie), a single ``value`` that it
        took, its ``spread`` around the level, the ``shape`` of that spread, its ``trend``, how it keeps its
        ``limits``; or what the ``context`` of all signals, a ``clock`` of the machine or a ``count`` of events says
    words : how a sentence names it; ``{window}``, ``{against}`` and ``{part}`` are filled in
    unit : ``{unit}`` stands for the signal's, and says how the feature grows when the signal is multiplied
    by_kernel : whether ``kernels.windows`` computes it from samples
    measure : what is measured of each snapshot, by its name in ``measures.MEASURE``; empty for other kinds
    source : who defined it, where the formula is not all there is to say
    around_zero : whether it depends on where the signal has its zero, and so means little where that is
        a convention, as in degC. Any other level or value moves along when something is added to all
        readings, and everything else stays
    limit : which limit of the signal it is against, if it is
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
    of_timed: Callable[[Floats, Floats], Floats] | None = None
    of_limits: Callable[[Floats, Floats, Limits], Floats] | None = None
    by_kernel: bool = False
    measure: str = ""
    source: str = ""
    around_zero: bool = False
    limit: Which | None = None

    @property
    def one_by_one(self) -> bool:
        """Whether it looks at each sample of a window, which panes do not keep."""
        return self.cost in ("samples", "sorting")

    @property
    def of_waveform(self) -> bool:
        """Whether it is made of the snapshots of a waveform, and of no other signal."""
        return self.cost == "snapshots"

    @property
    def cost(self) -> Cost:
        """What takes the time: ``panes`` take least by far; the ``samples`` of each window, or ``sorting`` them.

        ``states`` reads the signals of some expressions, and what costs a ``model`` is made of other
        features, by what that model has learnt.
        """
        match self.kind:
            case "moments" | "newest" | "compared" | "baseline":
                return "panes"
            case "samples" | "timed" | "limits":
                return "samples"
            case "ordered":
                return "sorting"
            case "snapshot" | "newest_snapshot":
                return "snapshots"
            case "regime":
                return "states"
            case "expected":
                return "model"
            case "clock" | "count":
                return "events"

    @property
    def against_itself(self) -> bool:
        """Whether it measures a machine against its own beginning, and so means the same on each of them."""
        return self.kind == "baseline"

    @property
    def absolute(self) -> bool:
        """Whether it differs between machines by their nature."""
        return self.tells in ("level", "value", "spread") and not self.against_itself and self.kind != "expected"

    @property
    def reads_as_signal(self) -> bool:
        """Whether a person can hold it against what the machine shows: a reading, or what readings lie around."""
        return self.tells in ("level", "value") and not self.against_itself and self.kind != "expected"


def _of_snapshots(measure: Measure) -> tuple[Feature, Feature]:
    """Return the mean of a measure over windows, and its newest value."""
    mean = Feature(
        name=measure.name,
        kind="snapshot",
        tells=measure.tells,
        words=f"{{window}} {measure.words}",
        formula=measure.formula,
        unit=measure.unit,
        meaning=measure.meaning,
        measure=measure.name,
        source=measure.source,
    )
    return mean, replace(mean, name=f"{measure.name}_last", kind="newest_snapshot", words=f"newest {measure.words}")


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
        around_zero=True,
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
        around_zero=True,
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
        source="Joanes and Gill, The Statistician 47 (1998), g1",
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
        source="Joanes and Gill, The Statistician 47 (1998), g2",
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
        source="MathWorks Predictive Maintenance Toolbox, Signal Features",
        around_zero=True,
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
        source="Draper and Smith, Applied Regression Analysis",
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
        name="spread_change",
        kind="compared",
        tells="trend",
        words="{window} standard deviation against {against}",
        formula="σ(window) − σ(next longer window)",
        unit="{unit}",
        meaning="A recent change of restlessness; a step within the longer window alone makes it negative.",
        of_two=trend.deviation_difference,
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
        kind="ordered",
        tells="value",
        words="{window} lower tenth",
        formula="10 % quantile, linear between samples",
        unit="{unit}",
        meaning="A low level that a single outlier does not move.",
        by_kernel=True,
        source="Hyndman and Fan, The American Statistician 50 (1996), type 7",
    ),
    Feature(
        name="median",
        kind="ordered",
        tells="level",
        words="{window} median",
        formula="50 % quantile, linear between samples",
        unit="{unit}",
        meaning="The level, deaf to outliers.",
        by_kernel=True,
        source="Hyndman and Fan, The American Statistician 50 (1996), type 7",
    ),
    Feature(
        name="quantile_90",
        kind="ordered",
        tells="value",
        words="{window} upper tenth",
        formula="90 % quantile, linear between samples",
        unit="{unit}",
        meaning="A high level that a single outlier does not move.",
        by_kernel=True,
        source="Hyndman and Fan, The American Statistician 50 (1996), type 7",
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
        source="Kedem, Proceedings of the IEEE 74 (1986): higher-order crossings",
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
        source="Kedem, Proceedings of the IEEE 74 (1986): higher-order crossings",
        around_zero=True,
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
        source="Box and Jenkins, Time Series Analysis: Forecasting and Control, r₁",
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
        source="Welch, IEEE Transactions on Audio and Electroacoustics 15 (1967), one segment",
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
            source="Welch, IEEE Transactions on Audio and Electroacoustics 15 (1967), one segment",
        )
        for number, which, meaning in (
            (1, "lowest", "Slow movement: drift, load and temperature. The four bands add up to about the variance."),
            (2, "second", "Power between slow movement and the middle of what the sampling can see."),
            (3, "third", "Power above the middle of what the sampling can see."),
            (4, "highest", "The fastest movement that the sampling can see: noise, impacts, chatter."),
        )
    ),
    Feature(
        name="interquartile_range",
        kind="ordered",
        tells="spread",
        words="{window} middle half",
        formula="75 % quantile − 25 % quantile",
        unit="{unit}",
        meaning="How restless the signal is, deaf to outliers: 1.35 σ for normal noise, wide between two loads.",
        of_rows=quantiles.interquartile_range,
        source="Tukey, Exploratory Data Analysis (1977); quantiles as above",
    ),
    Feature(
        name="median_absolute_deviation",
        kind="ordered",
        tells="spread",
        words="{window} median absolute deviation",
        formula="median |x − median x|, not scaled",
        unit="{unit}",
        meaning="Restlessness that nearly half of the readings may be wrong in: 0.67 σ for normal noise.",
        of_rows=quantiles.median_absolute_deviation,
        source="Hampel, Journal of the American Statistical Association 69 (1974)",
    ),
    Feature(
        name="impulse_factor",
        kind="samples",
        tells="shape",
        words="{window} impulse factor",
        formula="max |x| / (Σ |x| / n); NaN when all are 0",
        unit="",
        meaning="How far peaks stand out: 1.57 for a sine, 1 for equal sizes; impacts of a bearing or tooth raise it.",
        of_rows=factor.impulse_factor,
        source="MathWorks Predictive Maintenance Toolbox, Signal Features",
        around_zero=True,
    ),
    Feature(
        name="shape_factor",
        kind="samples",
        tells="shape",
        words="{window} shape factor",
        formula="√(Σ x² / n) / (Σ |x| / n); NaN when all are 0",
        unit="",
        meaning="RMS over mean size: a sine has 1.11, normal noise 1.25, impacts more; barely moved by a single one.",
        of_rows=factor.shape_factor,
        source="MathWorks Predictive Maintenance Toolbox, Signal Features",
        around_zero=True,
    ),
    Feature(
        name="clearance_factor",
        kind="samples",
        tells="shape",
        words="{window} clearance factor",
        formula="max |x| / (Σ √|x| / n)²; NaN when all are 0",
        unit="",
        meaning="The most sensitive to a few impacts in a quiet signal: a sine has 1.72. Falls as wear spreads.",
        of_rows=factor.clearance_factor,
        source="MathWorks Predictive Maintenance Toolbox, Signal Features",
        around_zero=True,
    ),
    Feature(
        name="entropy",
        kind="samples",
        tells="shape",
        words="{window} entropy",
        formula="−Σ p ln p over 10 bins; x is in bin ⌊10 (x − min) / (max − min)⌋, the maximum in the last; "
        "0 when all samples are equal",
        unit="",
        meaning="How evenly the range is used: 2.3 for even use, about 2 for noise, near 0 for rare jumps.",
        of_rows=entropy.entropy,
        source="Shannon, Bell System Technical Journal 27 (1948)",
    ),
    Feature(
        name="permutation_entropy",
        kind="samples",
        tells="shape",
        words="{window} permutation entropy",
        formula="−Σ p ln p / ln 6 over the six orders of three neighbouring samples; of equals the first is smaller",
        unit="",
        meaning="How unpredictable the next step is: 1 for noise, lower for rhythm and drift, 0 for a stuck sensor.",
        of_rows=entropy.permutation_entropy,
        source="Bandt and Pompe, Physical Review Letters 88, 174102 (2002)",
    ),
    Feature(
        name="mean_absolute_change",
        kind="samples",
        tells="spread",
        words="{window} mean step",
        formula="Σ |xᵢ₊₁ − xᵢ| / (n − 1)",
        unit="{unit}",
        meaning="Restlessness from sample to sample, whatever the drift: noise of a sensor, a valve that hunts.",
        of_rows=steps.mean_absolute_change,
        source="Montgomery, Introduction to Statistical Quality Control: the moving range",
    ),
    Feature(
        name="sum_of_absolute_changes",
        kind="samples",
        tells="spread",
        words="{window} way travelled",
        formula="Σ |xᵢ₊₁ − xᵢ|",
        unit="{unit}",
        meaning="The way that a valve, a level or a temperature went to and fro: what wears by moving, wears by this.",
        of_rows=steps.sum_of_absolute_changes,
    ),
    Feature(
        name="steepest_change",
        kind="timed",
        tells="spread",
        words="{window} steepest change",
        formula="max |xᵢ₊₁ − xᵢ| / (tᵢ₊₁ − tᵢ), t in hours",
        unit="{unit}/h",
        meaning="The fastest rise or fall: thermal shock, pressure surge, a sensor that jumps.",
        of_timed=steps.steepest_change,
    ),
    Feature(
        name="longest_run_above_mean",
        kind="samples",
        tells="shape",
        words="{window} longest run above the mean",
        formula="length of the longest run of samples with x > m, over n; 0 when all samples are equal",
        unit="",
        meaning="Short for noise, about a half for a step or a drift, in between for load cycles.",
        of_rows=steps.longest_run_above_mean,
    ),
    Feature(
        name="peaks",
        kind="samples",
        tells="shape",
        words="number of {window} peaks",
        formula="number of turns from rising to falling; equal samples in between are one peak",
        unit="",
        meaning="Strokes, cycles and hunting, once noise is small: of noise alone every third sample is a peak.",
        of_rows=steps.peaks,
        source="Kendall, Time-Series (1973): turning points",
    ),
    Feature(
        name="curvature",
        kind="timed",
        tells="trend",
        words="{window} curvature",
        formula="c of the least-squares parabola a + b t + c t², t in hours",
        unit="{unit}/h²",
        meaning="Whether a trend gathers speed (same sign as the slope) or levels off: wear that runs away.",
        of_timed=trend.curvature,
        source="Draper and Smith, Applied Regression Analysis",
    ),
    Feature(
        name="change_size",
        kind="samples",
        tells="trend",
        words="largest shift in {window}",
        formula="mean after − mean before the best split: the k with the largest |S_k|, S_k = Σᵢ₌₁…k (xᵢ − m)",
        unit="{unit}",
        meaning="How far the level shifted within the window: a setpoint, a product, a part that gave way.",
        of_rows=change.change_size,
        source="Ploberger and Krämer, Econometrica 60 (1992)",
    ),
    Feature(
        name="change_statistic",
        kind="samples",
        tells="trend",
        words="clearness of the largest shift in {window}",
        formula="max |S_k| / √(Σ (x − m)²); NaN when all samples are equal",
        unit="",
        meaning="How surely the level shifted: above 1.36 in 5 % of windows of independent noise, but often where "
        "samples follow each other; compare it with the machine's usual value.",
        of_rows=change.change_statistic,
        source="Ploberger and Krämer, Econometrica 60 (1992)",
    ),
    Feature(
        name="change_significant",
        kind="samples",
        tells="trend",
        words="whether the level shifts in {window}",
        formula="1 if max |S_k| / √(Σ (x − m)²) > 1.3581, otherwise 0; 0 when all samples are equal",
        unit="",
        meaning="A shift that independent noise makes in 5 % of windows only; a drift counts as one, too.",
        of_rows=change.change_significant,
        source="Ploberger and Krämer, Econometrica 60 (1992); Kolmogorov's 5 % point",
    ),
    Feature(
        name="change_age",
        kind="timed",
        tells="trend",
        words="hours since the largest shift in {window}",
        formula="hours from the first sample after the best split to the window's end; NaN when all samples are equal",
        unit="h",
        meaning="When it happened: hold it against the log of the shift.",
        of_timed=change.change_age,
        source="Ploberger and Krämer, Econometrica 60 (1992)",
    ),
    Feature(
        name="share_above_limit",
        kind="limits",
        tells="limits",
        words="{window} share of time above the limit",
        formula="time with x > upper limit / time; a sample stands until the next, at most 5 sampling intervals",
        unit="",
        meaning="How long the machine was overloaded or too hot, by the `limits` that the plant file gives the signal.",
        of_limits=share_above,
        limit="high",
    ),
    Feature(
        name="share_below_limit",
        kind="limits",
        tells="limits",
        words="{window} share of time below the limit",
        formula="time with x < lower limit / time; a sample stands until the next, at most 5 sampling intervals",
        unit="",
        meaning="How long pressure, flow or supply was too low, by the `limits` that the plant file gives the signal.",
        of_limits=share_below,
        limit="low",
    ),
    Feature(
        name="residual",
        kind="expected",
        tells="level",
        words="{window} mean against what the other signals let expect",
        formula="m(window) − (a + Σ bⱼ mⱼ(window)); a and bⱼ learnt from healthy time, by signals that are "
        "`operating` where there are any, by all others otherwise",
        unit="{unit}",
        meaning="A level that load, speed or product do not explain.",
        source="Hoerl, Kennard and Baldwin, Communications in Statistics 4 (1975); Huber (1981)",
    ),
    Feature(
        name="regime_share",
        kind="regime",
        tells="context",
        words="{window} share of regime {part}",
        formula="time in the regime / window; in regimes that are found, 1 if the window is in it, otherwise 0",
        unit="",
        meaning="How the machine runs: what is normal depends on it.",
    ),
    *(feature for measure in MEASURES for feature in _of_snapshots(measure)),
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
    return f"1{unit}" if unit.startswith("/") else unit.removeprefix("²")

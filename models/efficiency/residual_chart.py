"""The default chart: residuals of a time-series model, with limits that hold the run length that was asked for.

What phase I shows is taken for the truth, and the whole procedure is played many times: draw a phase I, learn order,
coefficients, centre and distribution from it, chart what comes after until the first false signal. The limit is the one
at which that takes as long as was asked for, on average over all phases I that could have been. A single chart may run
half or twice as long; the shorter phase I was, the more.

The average is that of five requested run lengths at most, against what a constant rate of signals gives in them. Charts
that were learnt from a short phase I and happen to be blind would lengthen the plain average, and narrow all limits.

Sources: Alwan and Roberts, Time-series modeling for statistical process control, Journal of Business and Economic
Statistics 6 (1988); Gandy and Kvaløy, Guaranteed conditional performance of control charts via bootstrap methods,
Scandinavian Journal of Statistics 40 (2013); the bias of coefficients as Kilian, Small-sample confidence intervals for
impulse response functions, Review of Economics and Statistics 80 (1998).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.plant_characteristic import RUN_LENGTHS
from models.efficiency.autoregression import Autoregression, fitted, forgotten, simulated
from models.efficiency.in_control import InControl
from models.efficiency.look import Floats
from models.efficiency.normal_scores import NormalScores
from models.efficiency.phase_one import PhaseOne
from models.efficiency.run_length import Growing, Runs, limit_for
from models.efficiency.shewhart_cusum import ShewhartCusum

REPLICATIONS = 1000
WATCHED = 5.0
"""Requested run lengths for which simulated charts are watched. What runs longer counts as that long, so that a few
charts that hardly ever signal do not make up for many that signal too soon."""
LEAST_WATCHED = 1000
"""Points for which they are watched at least, where that is no more than usual."""


@dataclass(frozen=True, slots=True)
class ResidualChart:
    """A chart of one process, ready for points to come.

    Attributes
    ----------
    phase_one : what it was learnt from
    model : corrected for the bias of its coefficients
    scores : residuals as normal scores
    chart : what looks at the scores
    requested : run length that was asked for
    run_length_error : standard error of the simulated run length at the limit, as a share of it
    """

    phase_one: PhaseOne
    model: Autoregression
    scores: NormalScores
    chart: ShewhartCusum
    requested: float
    run_length_error: float

    def residuals(self, values: Floats) -> Floats:
        """Return what the values before do not explain, shape (n,), NaN where that cannot be said.

        The first values are predicted from none before them, so they have no residual.
        """
        lags = self.model.coefficients.shape[1]
        found = np.full(len(values), np.nan)
        found[lags:] = self.model.residuals(values[np.newaxis])[0]
        return found

    def standardised(self, residuals: Floats) -> Floats:
        """Return residuals as normal scores, NaN where there is none."""
        found = np.full(len(residuals), np.nan)
        known = np.isfinite(residuals)
        found[known] = self.scores.of_residuals(residuals[np.newaxis, known])[0]
        return found


def designed(
    phase_one: PhaseOne,
    requested: float,
    random: np.random.Generator,
    replications: int = REPLICATIONS,
    watched: float = WATCHED,
) -> ResidualChart:
    """Learn a chart that runs ``requested`` points to a false signal, on average over phases I and what follows them.

    Parameters
    ----------
    requested : 20 to 5000 points
    replications : simulated procedures; a thousand set the mean run length to about 3 %
    watched : requested run lengths for which they are watched, but a thousand points where that is less than usual: a
        sum that starts at nothing cannot signal at once. Over many run lengths it is the mean run length that is held,
        over a part of one about the mean number of false signals in a time: of charts that scatter, the quick ones
        make most of the signals.

    Raises
    ------
    ValueError
        For a run length that cannot be asked for.
    """
    if not RUN_LENGTHS[0] <= requested <= RUN_LENGTHS[1]:
        raise ValueError(f"a run length of {requested:g} points cannot be held; ask for 20 to 5000")
    values, lags = phase_one.values[np.newaxis], phase_one.lags
    seen = InControl.of_model(phase_one.model, values)
    points = seen.scores.ordered.shape[1] + lags
    phi = phase_one.model.coefficients[0]
    bias = fitted(play(phi, seen.scores, replications // 2, points, random), lags).coefficients.mean(axis=0) - phi
    truth = InControl.of_model(phase_one.model.less(bias, values), values)
    phi = truth.model.coefficients[0]
    each = InControl.of(play(phi, truth.scores, replications, points, random), lags, bias)
    burn = forgotten(phi)
    growing = Growing(lambda rows, count: random.standard_normal((rows, count)), replications)

    def longer(rows: NDArray[np.intp], horizon: int) -> Floats:
        innovations = truth.scores.drawn(growing.first(rows, burn + lags + horizon))
        return each.take(rows).statistic(simulated(phi, innovations, burn))

    longest = int(max(watched * requested, min(WATCHED * requested, LEAST_WATCHED)))
    runs = Runs(longer, replications, horizon=min(int(1.5 * requested), longest), longest=longest)
    start, part = float(np.log(requested)), longest / requested
    limit = limit_for(runs, requested * (1 - np.exp(-part)), start - 2.0, start + 6.0)
    lengths = runs.lengths(limit)
    # By how much of a per cent their mean is longer where they run longer by one: all but none where few end.
    elasticity = 1 - part / np.expm1(part)
    error = float(lengths.std() / lengths.mean() / np.sqrt(replications) / elasticity)
    chart = ShewhartCusum(float(truth.reference[0, 0]), limit)
    return ResidualChart(phase_one, truth.model, truth.scores, chart, requested, error)


def play(coefficients: Floats, scores: NormalScores, rows: int, points: int, random: np.random.Generator) -> Floats:
    """Return rows of the process that phase I showed, shape (rows, points), around 0."""
    burn = forgotten(coefficients)
    return simulated(coefficients, scores.drawn(random.standard_normal((rows, burn + points))), burn)

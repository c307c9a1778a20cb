"""How long control charts run to a false signal, and how late they see a shift.

``python -m tests.trials.run_lengths [textbook|held|shapes|since] [--charts 400] [--runs 8000] [--points 500]``

``textbook``: the charts with known parameters on independent and autocorrelated normal points.
``held``: the default chart, learnt from phases I of normal AR(1) processes, beside textbook charts: run length in
control, and delay of shifts of 1 and 2 sigma of the values.
``shapes``: the default chart on skewed and heavy-tailed processes and on others than AR(1).
``since``: how often the interval of the change point holds the truth.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from models.efficiency.autoregression import fitted
from models.efficiency.change_point import change_point
from models.efficiency.control_chart import CHARTS, ControlChart
from models.efficiency.in_control import InControl
from models.efficiency.look import Floats, Look
from models.efficiency.phase_one import lags_for, learnt
from models.efficiency.residual_chart import ResidualChart, designed
from models.efficiency.run_length import Growing, Runs, limit_for
from models.efficiency.run_rules import Nelson

Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]
REQUESTED = 370
FUTURES = 20
QUIET = 50
"""Points in control before a shift; series that signal in them are left out of the delay."""

DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda random, shape: random.standard_normal(shape),
    "skewed (exponential)": lambda random, shape: random.exponential(1, shape) - 1,
    "skewed (log-normal 0.5)": lambda random, shape: (
        (random.lognormal(0, 0.5, shape) - np.exp(0.125)) / np.sqrt((np.exp(0.25) - 1) * np.exp(0.25))
    ),
    "heavy (t5)": lambda random, shape: random.standard_t(5, shape) / np.sqrt(5 / 3),
    "heavy (t3)": lambda random, shape: random.standard_t(3, shape) / np.sqrt(3),
    "bounded (uniform)": lambda random, shape: random.uniform(-1, 1, shape) * np.sqrt(3),
}


@dataclass(frozen=True)
class Process:
    """An ARMA process of unit variance innovations."""

    ar: tuple[float, ...] = ()
    ma: tuple[float, ...] = ()
    shape: str = "normal"

    @property
    def sigma(self) -> float:
        impulse = np.zeros(5000)
        impulse[0] = 1
        return float(np.sqrt(np.sum(self.filtered(impulse[np.newaxis]) ** 2)))

    def filtered(self, innovations: Floats) -> Floats:
        return lfilter([1.0, *self.ma], [1.0, *(-phi for phi in self.ar)], innovations, axis=1)

    @property
    def burn(self) -> int:
        return int(20 + 8 / (1 - abs(sum(self.ar)))) if self.ar else 20

    def drawn(self, random: np.random.Generator, shape: tuple[int, int]) -> Floats:
        return self.filtered(DISTRIBUTIONS[self.shape](random, (shape[0], shape[1] + self.burn)))[:, self.burn :]


@dataclass(frozen=True)
class Only:
    """One rule of a chart."""

    chart: ControlChart
    rule: int

    @property
    def rules(self) -> tuple[str, ...]:
        return (self.chart.rules[self.rule],)

    def look(self, standardised: Floats) -> Look:
        look = self.chart.look(standardised)
        return Look(look.fired[self.rule : self.rule + 1], look.side[self.rule : self.rule + 1])


TEXTBOOK: dict[str, ControlChart] = {
    "rule 1 (Shewhart)": CHARTS["Shewhart"](),
    "rule 2": Only(Nelson(), 1),
    "all eight (Nelson)": CHARTS["Nelson"](),
    "Western Electric": CHARTS["Western Electric"](),
    "CUSUM k 0.5 h 5": CHARTS["CUSUM"](),
    "EWMA 0.2 L 2.962": CHARTS["EWMA"](),
}


def told(values: Floats) -> str:
    """Write a mean with its 95 % interval; values are independent."""
    if len(values) < 2:
        return "none"
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.1f} [{values.mean() - half:.1f}–{values.mean() + half:.1f}]"


def in_control(chart: ControlChart, process: Process, runs: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Return points to the first false signal with known centre and sigma."""
    growing = Growing(lambda rows, count: DISTRIBUTIONS[process.shape](random, (rows, count)), runs)
    sigma, burn = process.sigma, process.burn

    def longer(rows: NDArray[np.intp], horizon: int) -> Floats:
        values = process.filtered(growing.first(rows, burn + horizon))[:, burn:] / sigma
        return chart.look(values).signals.astype(np.float64)

    return Runs(longer, runs, horizon=512, longest=100_000).lengths(0.5)


def delays(statistic: Callable[[Floats], Floats], series: Floats, limit: float, lags: int = 0) -> Floats:
    """Return points from a shift to the signal of each row that was quiet before it."""
    over = statistic(series) > limit
    first = np.where(over.any(axis=1), over.argmax(axis=1) + 1 + lags, series.shape[1] + 1)
    return (first[first > QUIET] - QUIET).astype(np.float64)


def shifted(process: Process, size: float, rows: int, random: np.random.Generator, count: int = 4000) -> Floats:
    """Return series whose level steps by ``size`` sigma of the values after ``QUIET`` points."""
    series = process.drawn(random, (rows, QUIET + count))
    series[:, QUIET:] += size * process.sigma
    return series


def textbook(runs: int, seed: int) -> Iterator[str]:
    """Yield the table of textbook charts."""
    coefficients = (0.0, 0.5, 0.8)
    yield "| chart | " + " | ".join(f"AR(1) {phi:g}" for phi in coefficients) + " |"
    yield "|---|" + "---|" * len(coefficients)
    for name, chart in TEXTBOOK.items():
        cells = [
            told(in_control(chart, Process((phi,)), runs, np.random.default_rng([seed, place])).astype(np.float64))
            for place, phi in enumerate(coefficients)
        ]
        yield f"| {name} | {' | '.join(cells)} |"


@dataclass(frozen=True)
class Known:
    """The limit that holds the run length where the process is known but for what phase I has to teach.

    Charts at this limit run ``REQUESTED`` points on average, so how much longer or shorter the same charts run at
    limits of their own is told far more surely than how long they run.
    """

    limit: float
    error: float

    @classmethod
    def of(cls, process: Process, points: int, seed: int, rows: int = 3000) -> "Known":
        random = np.random.default_rng([seed, points, 99])
        lags, burn = lags_for(points), process.burn
        before = process.drawn(random, (rows, points))
        each = InControl.of(before, lags, bias_of(process, lags, before))
        growing = Growing(lambda rows, count: DISTRIBUTIONS[process.shape](random, (rows, count)), rows)

        def longer(rows: NDArray[np.intp], horizon: int) -> Floats:
            series = process.filtered(growing.first(rows, burn + lags + horizon))[:, burn:]
            return each.take(rows).statistic(series)

        runs = Runs(longer, rows, horizon=600, longest=200 * REQUESTED)
        limit = limit_for(runs, REQUESTED, 4.0, 12.0)
        return cls(limit, float(runs.lengths(limit).std() / np.sqrt(rows)))


def bias_of(process: Process, lags: int, before: Floats) -> Floats:
    """Return how far coefficients are off on average; of other processes than autoregressions none."""
    if process.ma:
        return np.zeros(lags)
    return fitted(before, lags).coefficients.mean(axis=0) - np.pad(process.ar, (0, lags - len(process.ar)))


@dataclass
class Realised:
    """What charts learnt from phases I of one process did; one number for each chart."""

    known: Known
    run_lengths: list[float]
    at_known: list[float]
    quick: list[float]
    delays: dict[float, list[float]]
    unstable: int = 0
    refused: int = 0

    def sharper(self) -> tuple[float, float]:
        """Return the run length, told beside the known limit, and half of its 95 % interval."""
        gain = np.array(self.run_lengths) - np.array(self.at_known)
        error = 1.96 * np.hypot(gain.std(ddof=1) / np.sqrt(len(gain)), self.known.error)
        return float(REQUESTED + gain.mean()), float(error)

    def row(self) -> str:
        lengths = np.array(self.run_lengths)
        tenth, half, nine = np.quantile(lengths, [0.1, 0.5, 0.9])
        sharper, error = self.sharper()
        cells = [f"**{sharper:.0f} [{sharper - error:.0f}–{sharper + error:.0f}]**", told(lengths)]
        cells += [f"{tenth:.0f} / {half:.0f} / {nine:.0f}", told(100 * np.array(self.quick))]
        cells += [told(np.array(each)) for each in self.delays.values()]
        return " | ".join([*cells, f"{self.unstable}", f"{self.refused}"])


HEADER = (
    "in-control run length, beside the known limit | as counted | of single charts: tenth / median / nine tenths"
    " | % within 37 points | delay 1σ | delay 2σ"
)


def statistic_of(chart: ResidualChart) -> Callable[[Floats], Floats]:
    """Return the function from series, (rows, n), to what is compared with the limit."""

    def statistic(series: Floats) -> Floats:
        model = chart.model.take(np.zeros(len(series), np.intp))
        residuals = model.residuals(series)
        return chart.chart.statistic(chart.scores.of_residuals(residuals.reshape(1, -1)).reshape(residuals.shape))

    return statistic


def realised(
    process: Process, points: int, charts: int, seed: int, replications: int = 400, rows: int = 3000
) -> Realised:
    """Learn many charts of one process, each from its own phase I, and run each on series of its own.

    Parameters
    ----------
    rows : how many series tell the known limit
    """
    result = Realised(Known.of(process, points, seed, rows), [], [], [], {1.0: [], 2.0: []})
    for index in range(charts):
        random = np.random.default_rng([seed, points, index])
        values = 20 + 3 * process.drawn(random, (1, points))[0]
        try:
            phase = learnt(values, random)
        except ValueError:
            result.refused += 1
            continue
        result.unstable += not phase.stable
        chart = designed(phase, REQUESTED, random, replications)
        statistic = statistic_of(chart)
        growing = Growing(lambda rows, count: DISTRIBUTIONS[process.shape](random, (rows, count)), FUTURES)  # noqa: B023
        burn, lags = process.burn, phase.lags

        def longer(rows: NDArray[np.intp], horizon: int) -> Floats:
            series = 20 + 3 * process.filtered(growing.first(rows, burn + lags + horizon))[:, burn:]  # noqa: B023
            return statistic(series)  # noqa: B023

        runs = Runs(longer, FUTURES, horizon=1024, longest=200 * REQUESTED)
        lengths = runs.lengths(chart.chart.limit)
        result.at_known.append(float(runs.lengths(result.known.limit).mean()))
        result.run_lengths.append(float(lengths.mean()))
        result.quick.append(float((lengths <= REQUESTED / 10).mean()))
        for size, found in result.delays.items():
            late = delays(statistic, 20 + 3 * shifted(process, size, FUTURES, random), chart.chart.limit, lags)
            found.append(float(late.mean()) if len(late) else np.nan)
    for size, found in result.delays.items():
        result.delays[size] = [each for each in found if np.isfinite(each)]
    return result


def held(charts: int, runs: int, lengths: list[int], seed: int) -> Iterator[str]:
    """Yield the table of the default chart beside textbook charts that know centre and sigma."""
    yield f"| process | chart | {HEADER} | unstable | refused |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for phi in (0.0, 0.5, 0.8, 0.95):
        process = Process((phi,))
        for points in lengths:
            yield f"| AR(1) {phi:g} | default, phase I {points} | {realised(process, points, charts, seed).row()} |"
        for name in ("rule 1 (Shewhart)", "all eight (Nelson)", "CUSUM k 0.5 h 5"):
            chart, random = TEXTBOOK[name], np.random.default_rng([seed, 7])

            def fired(series: Floats) -> Floats:
                return chart.look(series / process.sigma).signals.astype(np.float64)  # noqa: B023

            of_runs = in_control(chart, process, runs, random)
            late = [told(delays(fired, shifted(process, size, 1000, random), 0.5)) for size in (1.0, 2.0)]
            quick = f"{100 * (of_runs <= REQUESTED / 10).mean():.1f}"
            cells = ["", told(of_runs.astype(np.float64)), "", quick, *late, "", ""]
            yield f"| AR(1) {phi:g} | textbook {name} | {' | '.join(cells)} |"


def shapes(charts: int, lengths: list[int], seed: int) -> Iterator[str]:
    """Yield the table of processes that are not normal, or no autoregression of first order."""
    yield f"| process | phase I | {HEADER} | unstable | refused |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    others = {
        **{f"independent, {shape}": Process(shape=shape) for shape in list(DISTRIBUTIONS)[1:]},
        "AR(1) 0.8, skewed (exponential)": Process((0.8,), shape="skewed (exponential)"),
        "AR(1) 0.8, heavy (t3)": Process((0.8,), shape="heavy (t3)"),
        "AR(2) 1.2, −0.5": Process((1.2, -0.5)),
        "AR(1) −0.5": Process((-0.5,)),
        "ARMA 0.9, −0.5 (a slow level under noise)": Process((0.9,), (-0.5,)),
    }
    for name, process in others.items():
        for points in lengths:
            yield f"| {name} | {points} | {realised(process, points, charts, seed).row()} |"


def since(charts: int, seed: int) -> Iterator[str]:
    """Yield how often the interval of the change point holds the truth, and how far off the estimate is."""
    yield "| process | shift | signals | interval holds the truth | median points off | median width |"
    yield "|---|---|---|---|---|---|"
    for phi in (0.0, 0.5, 0.8, 0.95):
        process = Process((phi,))
        random = np.random.default_rng([seed, 3])
        chart = designed(learnt(process.drawn(random, (1, 2000))[0], random), REQUESTED, random)
        statistic, lags = statistic_of(chart), chart.phase_one.lags
        for size in (1.0, 2.0):
            series = shifted(process, size, charts, random)
            over = statistic(series) > chart.chart.limit
            residuals = chart.model.take(np.zeros(len(series), np.intp)).residuals(series) / chart.model.sigma[0]
            found = []
            for row in np.flatnonzero(over.any(axis=1) & ~over[:, : QUIET - lags].any(axis=1)):
                change = change_point(residuals[row, : over[row].argmax() + 1], chart.model.coefficients[0])
                truth = QUIET - lags
                found.append((change.low <= truth <= change.high, abs(change.first - truth), change.high - change.low))
            inside, off, width = np.array(found, dtype=np.float64).T
            yield (
                f"| AR(1) {phi:g} | {size:g}σ | {len(found)} | {100 * inside.mean():.0f} %"
                f" | {np.median(off):.0f} | {np.median(width):.0f} |"
            )


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "what", nargs="*", choices=["textbook", "held", "shapes", "since"], default=["textbook", "held"]
    )
    parser.add_argument("--charts", type=int, default=400)
    parser.add_argument("--runs", type=int, default=8000)
    parser.add_argument("--points", type=int, nargs="+", default=[500])
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    tables: dict[str, Callable[[], Iterator[str]]] = {
        "textbook": lambda: textbook(asked.runs, asked.seed),
        "held": lambda: held(asked.charts, asked.runs, asked.points, asked.seed),
        "shapes": lambda: shapes(asked.charts, asked.points, asked.seed),
        "since": lambda: since(asked.charts, asked.seed),
    }
    for what in asked.what:
        for line in tables[what]():
            print(line, flush=True)  # noqa: T201
        print()  # noqa: T201


if __name__ == "__main__":
    main()

"""How long a chart runs to its first signal, by simulation, and the limit at which it runs as long as was asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.efficiency.control_chart import ControlChart
from models.efficiency.look import Floats

Longer = Callable[[NDArray[np.intp], int], Floats]
"""(rows, horizon) → the statistic of these rows at the first ``horizon`` points, shape (rows, horizon).

Asked again with a longer horizon the points that were there before are the same.
"""
Draw = Callable[[int, int], Floats]
"""(rows, n) → new random numbers of this shape."""


class Growing:
    """Rows of random numbers, each of which can be made longer without a change of what it holds."""

    def __init__(self, draw: Draw, rows: int) -> None:
        self._draw = draw
        self._rows: list[Floats] = [np.empty(0)] * rows

    def first(self, rows: NDArray[np.intp], count: int) -> Floats:
        """Return the first ``count`` numbers of these rows."""
        lengths = np.array([len(self._rows[row]) for row in rows])
        for length in np.unique(lengths[lengths < count]):
            short = rows[lengths == length]
            for row, more in zip(short, self._draw(len(short), count - int(length)), strict=True):
                self._rows[row] = np.concatenate([self._rows[row], more])
        return np.stack([self._rows[row][:count] for row in rows])


@dataclass(slots=True)
class Runs:
    """The statistic of many simulated series, each continued for as long as a limit is not exceeded.

    Attributes
    ----------
    longer : makes them
    rows : how many
    horizon : points that each is made of at first
    longest : points after which a series is taken to run no longer; keeps a chart that never signals finite
    """

    longer: Longer
    rows: int
    horizon: int
    longest: int
    _stages: list[tuple[NDArray[np.intp], Floats]] = field(default_factory=list)

    def lengths(self, limit: float) -> NDArray[np.int64]:
        """Return the points to the first one above ``limit``, counted from 1, of each series."""
        found = np.zeros(self.rows, np.int64)
        running = np.arange(self.rows)
        stage = 0
        while len(running):
            if stage == len(self._stages):
                horizon = min(self.horizon << stage, self.longest)
                self._stages.append((running, np.maximum.accumulate(self.longer(running, horizon), axis=1)))
            rows, highest = self._stages[stage]
            if missing := np.setdiff1d(running, rows).tolist():
                more = np.array(missing)
                added = np.maximum.accumulate(self.longer(more, highest.shape[1]), axis=1)
                rows, highest = np.concatenate([rows, more]), np.concatenate([highest, added])
                self._stages[stage] = rows, highest
            place = np.full(self.rows, -1)
            place[rows] = np.arange(len(rows))
            within = (highest[place[running]] <= limit).sum(axis=1)
            over = (within < highest.shape[1]) | (highest.shape[1] >= self.longest)
            found[running[over]] = np.minimum(within[over] + 1, self.longest)
            running = running[~over]
            stage += 1
        return found


def limit_for(runs: Runs, requested: float, low: float, high: float, tolerance: float = 1e-3) -> float:
    """Return the limit at which the mean run length is ``requested``, by bisection.

    Parameters
    ----------
    low, high : limits between which it lies; series run on only as far as the limits that are tried need
    """
    while high - low > tolerance:
        middle = (low + high) / 2
        if runs.lengths(middle).mean() < requested:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def first_signals(chart: ControlChart, standardised: Floats) -> NDArray[np.int64]:
    """Return the points to the first signal of each row, counted from 1; 0 where there is none.

    Parameters
    ----------
    standardised : shape (rows, n)
    """
    signals = chart.look(standardised).signals
    return np.where(signals.any(axis=-1), signals.argmax(axis=-1) + 1, 0)


def simulated_run_lengths(chart: ControlChart, draw: Draw, runs: int, longest: int = 100_000) -> NDArray[np.int64]:
    """Return the points to the first signal of ``runs`` standardised series, each run until it signals.

    Parameters
    ----------
    draw : (rows, n) → numbers that the series consist of, independent of those drawn before
    longest : points after which a series counts as ended
    """
    points = Growing(draw, runs)

    def longer(rows: NDArray[np.intp], horizon: int) -> Floats:
        return chart.look(points.first(rows, horizon)).signals.astype(np.float64)

    return Runs(longer, runs, horizon=512, longest=longest).lengths(0.5)

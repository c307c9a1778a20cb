"""How often control charts signal for nothing over years, and how soon a shift is seen, as plants have them.

Run ``python -m tests.trials.false_signals --charts 20 --years 2``. Each chart learns the usual phase I of a process of
hourly points, and then watches years of it; the same chart is shown the same process with a step.
"""

import argparse
import sys

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from ingest.plant_characteristic import YEAR, Characteristic
from models.efficiency.characteristic import learn
from models.efficiency.charted import against
from models.efficiency.look import Floats

ASKED = Characteristic(signal="level")
STEP_AFTER, WATCHED = 200, 800
"""Points before a step, and all that are shown with one."""


def process(phi: float, points: int, random: np.random.Generator) -> Floats:
    """Return an autoregression of first order with standard deviation 1."""
    noise = random.standard_normal(points + 500) * np.sqrt(1 - phi**2)
    return np.asarray(lfilter([1.0], [1.0, -phi], noise)[500:], np.float64)


def hourly(values: Floats) -> "pd.Series[float]":
    """Return values as a series of one an hour."""
    return pd.Series(values, pd.date_range("2026-01-01", periods=len(values), freq="h", tz="UTC"))


def row(phi: float, charts: int, years: float, seed: int) -> str:
    """Return one line of the table."""
    per_chart, unstable, delays = [], 0, {1.0: [], 2.0: []}  # type: ignore[var-annotated]
    hours = round(years * YEAR / ASKED.every)
    for index in range(charts):
        random = np.random.default_rng([seed, round(100 * phi), index])
        chart = learn(process(phi, ASKED.phase_one, random), ASKED)
        if not chart.phase_one.stable:
            unstable += 1
            continue
        per_chart.append(len(against(chart, hourly(process(phi, hours, random))).signals))
        for size, found in delays.items():
            values = process(phi, WATCHED, random)
            values[STEP_AFTER:] += size
            series = hourly(values)
            seen = [each.at for each in against(chart, series).signals if each.at >= series.index[STEP_AFTER]]
            found.append((seen[0] - series.index[STEP_AFTER]) / ASKED.every + 1 if seen else np.inf)
    rates = np.array(per_chart) / years
    # Charts scatter by their phases I, so it is charts that are counted and not signals.
    error = 1.96 * rates.std(ddof=1) / np.sqrt(len(rates))
    low, middle, high = np.quantile(rates, [0.1, 0.5, 0.9])
    mean = rates.mean()
    cells = [f"{phi:g}", f"{len(rates)}", f"{unstable}", f"{mean:.2f} [{max(mean - error, 0):.2f}-{mean + error:.2f}]"]
    cells += [f"{low:.1f} / {middle:.1f} / {high:.1f}"]
    cells += ["{:.0f} / {:.0f}".format(*np.quantile(each, [0.5, 0.9], method="higher")) for each in delays.values()]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--charts", type=int, default=20)
    parser.add_argument("--years", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phi", type=float, nargs="+", default=[0.0, 0.5, 0.8, 0.95])
    asked = parser.parse_args()
    sys.stdout.write(
        "| correlation | charts | unstable | matters a year, asked for 2 | of single charts: tenth / median / "
        "nine tenths | hours to see 1σ: median / nine in ten | 2σ |\n|---|---|---|---|---|---|---|\n"
    )
    for phi in asked.phi:
        sys.stdout.write(row(phi, asked.charts, asked.years, asked.seed) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""What came out: per stretch of an order the good pieces, the scrap and the energy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.simulation.degradation import Degradation
from ingest.simulation.happening import moment
from ingest.simulation.operation import Run

PRODUCTION_COLUMNS = ("machine", "begin", "end", "order", "product", "good", "scrap", "energy_kwh")
_SCRAP = 0.012


@dataclass(frozen=True, slots=True)
class Output:
    """What one run produced; pieces, and kWh."""

    run: Run
    good: int
    scrap: int
    energy_kwh: float


def outputs(
    runs: Sequence[Run],
    degradations: Sequence[Degradation],
    times: NDArray[np.int64],
    power: NDArray[np.float64],
    randomness: np.random.Generator,
) -> list[Output]:
    """Return what the runs of a day produced; runs at a duty without pieces are left out.

    Parameters
    ----------
    power : array of shape (n_times,), kW at ``times``
    """
    result = []
    for run in runs:
        pace, luck = randomness.random(), int(randomness.integers(2**32))
        if not run.product.cycle_seconds:
            continue
        seconds = run.end - run.begin
        pieces = int(seconds / run.product.cycle_seconds * (0.84 + 0.14 * pace))
        middle = np.array([(run.begin + run.end) // 2])
        spoilt = _SCRAP + sum(float(each.damage(middle)[0]) * each.fate.mode.scrap for each in degradations)
        scrap = int(np.random.default_rng(luck).binomial(pieces, min(spoilt, 1.0)))
        inside = slice(*np.searchsorted(times, (run.begin, run.end)))
        mean = float(power[inside].mean()) if len(times[inside]) else 0.0
        result.append(Output(run, pieces - scrap, scrap, round(mean * seconds / 3600, 1)))
    return result


def production_table(machine: str, produced: Sequence[Output]) -> pd.DataFrame:
    """Return outputs as a table with ``PRODUCTION_COLUMNS``, times in UTC, sorted by ``begin``."""
    rows = [
        (
            machine,
            moment(each.run.begin),
            moment(each.run.end),
            each.run.order,
            each.run.product.name,
            each.good,
            each.scrap,
            each.energy_kwh,
        )
        for each in produced
    ]
    table = pd.DataFrame(rows, columns=list(PRODUCTION_COLUMNS))
    for column in ("begin", "end"):
        table[column] = pd.to_datetime(table[column], utc=True).astype("datetime64[us, UTC]")
    return table

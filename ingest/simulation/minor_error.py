"""Minor errors on the machine's display: some by themselves, some because something degrades."""

from collections.abc import Sequence

import numpy as np

from ingest.simulation.degradation import Degradation
from ingest.simulation.happening import Happening
from ingest.simulation.kind import MachineKind
from ingest.simulation.operation import Conditions, Run

_HOURS_BETWEEN = 1500.0


def minor_errors(
    kind: MachineKind,
    now: Conditions,
    runs: Sequence[Run],
    degradations: Sequence[Degradation],
    randomness: np.random.Generator,
) -> list[Happening]:
    """Return the errors of a day: Poisson, more frequent the more a component is damaged."""
    step = int(now.times[1] - now.times[0]) if len(now.times) > 1 else 3600
    rates = np.full((len(kind.errors), len(now.times)), 1 / _HOURS_BETWEEN)
    for each in degradations:
        mode = each.fate.mode
        if mode.error:
            rates[kind.errors.index(mode.error)] += mode.errors_per_hour * each.damage(now.times)
    hit = randomness.random(rates.shape) < rates * now.running * step / 3600
    second = randomness.integers(step, size=rates.shape)
    moments = [(int(now.times[at] + second[code, at]), kind.errors[code]) for code, at in np.argwhere(hit)]
    return [
        Happening("error", moment, code=code)
        for moment, code in sorted(moments)
        if any(run.begin <= moment < run.end for run in runs)
    ]

"""What a model said before each event that it was judged by, for the picture of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.assessment import Assessments
from models.judging.evaluate import EventVerdict, Verdict
from models.moment import span
from models.rows import machine_rows

HORIZONS = 3
POINTS = 160
_HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True, slots=True)
class Trace:
    """Levels of one machine before one event.

    Attributes
    ----------
    hours : before the event, shape (n,), falling
    level : shape (n,); NaN where nothing could be said
    alerts : hours before the event at which alerts began
    """

    machine: str
    begin: np.datetime64
    mode: str
    verdict: EventVerdict
    needed_hours: float
    threshold: float
    hours: NDArray[np.float64]
    level: NDArray[np.float64]
    alerts: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            "machine": self.machine,
            "begin": f"{np.datetime_as_string(self.begin, unit='s')}Z",
            "mode": self.mode,
            "verdict": self.verdict.value,
            "needed_hours": self.needed_hours,
            "threshold": self.threshold,
            "hours": np.round(self.hours, 3).tolist(),
            "level": [None if np.isnan(each) else each for each in self.level.tolist()],
            "alerts": list(self.alerts),
        }


def traces(verdict: Verdict, assessments: Assessments, horizon: timedelta) -> list[Trace]:
    """Return what was said in the last ``HORIZONS`` horizons before each event.

    Where there are more than ``POINTS`` windows, the highest level of each run of them is kept: what
    decides on an alert must not be thinned away.
    """
    rows, found = machine_rows(assessments.machine), []
    for event in verdict.events:
        mine = rows.get(event.machine)
        if mine is None:
            continue
        time, level = assessments.time[mine], assessments.level[mine]
        kept = (time > event.begin - HORIZONS * span(horizon)) & (time <= event.begin)
        hours, level = _thinned((event.begin - time[kept]) / _HOUR, level[kept])
        begins = [
            float((event.begin - alert.begin) / _HOUR)
            for alert in verdict.alerts
            if alert.machine == event.machine and event.begin - HORIZONS * span(horizon) < alert.begin <= event.end
        ]
        found.append(
            Trace(
                machine=event.machine,
                begin=event.begin,
                mode=event.mode,
                verdict=event.verdict,
                needed_hours=event.needed_hours,
                threshold=assessments.threshold,
                hours=hours,
                level=level,
                alerts=tuple(begins),
            )
        )
    return found


def _thinned(hours: NDArray[np.float64], level: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(hours) <= POINTS:
        return hours, level
    edges = np.linspace(0, len(hours), POINTS + 1).astype(np.intp)[:-1]
    highest = np.fmax.reduceat(level, edges)
    return hours[edges], highest

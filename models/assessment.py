"""◆ Assessments: what one model says of machines at moments, or why it says nothing."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Reason(StrEnum):
    """Why an assessment is a number (``ok``) or is none."""

    OK = "ok"
    NO_DATA = "no readings"
    TOO_LITTLE = "insufficient data"
    DOWN = "broken down"
    SETTLING = "settling after a failure"
    SENSOR_FAULT = "sensor fault"


@dataclass(frozen=True, slots=True)
class Assessments:
    """What one model version says of machines at window ends.

    Attributes
    ----------
    model, version : who says so
    machine : array of str objects, shape (n,)
    time : array of datetime64[us] in UTC, shape (n,)
    level : float64 array of shape (n,), 0 to 1, higher is worse; NaN where ``reason`` is not ok
        failure_risk: probability of the event within the horizon.
        anomaly: 1 − p, p the share of healthy time that looks at least as strange.
    reason : array of ``Reason`` values as str objects, shape (n,)
    threshold : level from which a machine is worth somebody's time

    Sorted by (machine, time).
    """

    model: str
    version: str
    machine: NDArray[Any]
    time: NDArray[np.datetime64]
    level: NDArray[np.float64]
    reason: NDArray[Any]
    threshold: float

    def __len__(self) -> int:
        return len(self.time)

    def where(self, rows: NDArray[Any]) -> "Assessments":
        """Return the rows of a mask or index."""
        return replace(
            self, machine=self.machine[rows], time=self.time[rows], level=self.level[rows], reason=self.reason[rows]
        )

"""◆ Assessments: what one model says of machines at moments, or why it says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.filled import Filled, filled_of
from models.life.life import Life


class Reason(StrEnum):
    """Why an assessment is a number (``ok``) or is none: there is never a number with a hidden caveat."""

    OK = "ok"
    NO_DATA = "no readings"
    TOO_LITTLE = "insufficient data"
    SENSOR_FAULT = "sensor fault"
    OFF = "off"
    OUT_OF_DOMAIN = "out of domain"
    DOWN = "broken down"
    SETTLING = "settling after a failure"
    ONE_SIGNAL = "one signal alone"
    """There is a level over the threshold, but it rests on one signal, as before no recorded failure: no alert."""
    NOT_DEGRADING = "not degrading"
    """There is a level, but no remaining life: nothing shows that one is being used up."""


SAID = (Reason.OK, Reason.NOT_DEGRADING, Reason.ONE_SIGNAL)
"""With these there is a level."""


def reason_counts(reasons: NDArray[Any]) -> dict[str, int]:
    """Return how often each reason stands among some, those that do not left out.

    Examples
    --------
    >>> reason_counts(np.array(["off", "ok", "off"], object))
    {'ok': 1, 'off': 2}
    """
    return {each.value: count for each in Reason if (count := int(np.count_nonzero(reasons == each.value)))}


def not_assessed(counts: Mapping[str, int]) -> str:
    """Say for which share of its times nothing could be said, and why; empty if that never was.

    Examples
    --------
    >>> not_assessed({"ok": 60, "off": 39, "insufficient data": 1})
    'Not assessed for 40 % of the time: off 39 %, insufficient data 1 %.'
    """
    total = sum(counts.values())
    rest = {reason: count for reason, count in counts.items() if reason not in SAID and count}
    if not rest:
        return ""
    why = ", ".join(f"{reason} {_percent(count / total)}" for reason, count in rest.items())
    return f"Not assessed for {_percent(sum(rest.values()) / total)} of the time: {why}."


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %" if share >= 0.001 else "under 0.1 %"


@dataclass(frozen=True, slots=True)
class Assessments:
    """What one model version says of machines at window ends.

    Attributes
    ----------
    model, version : who says so
    machine : array of str objects, shape (n,)
    time : array of datetime64[us] in UTC, shape (n,)
    level : float64 array of shape (n,), 0 to 1, higher is worse; NaN where ``reason`` is none of ``SAID``
        failure_risk, remaining_life: probability of the event within the horizon.
        anomaly: 1 − p, p the share of healthy time that looks at least as strange.
    reason : array of ``Reason`` values as str objects, shape (n,)
    threshold : level from which a machine is worth somebody's time
    signals : names of the signals of ``filled``
    filled : float32 array of shape (n, n_signals), or ``None`` where nobody knows
        Share of the expected readings of each signal that the level was built from, see ``FeatureTable``.
    life : float64 array of shape (n, n_levels), or ``None`` of a task that tells none
        Remaining life in hours at each of ``models.life.life.LEVELS``, infinite beyond ``reach``; NaN where
        ``reason`` is not ok.
    reach : up to how many hours a life is told; NaN of a task that tells none
    alone : array of str objects, shape (n,), or ``None`` where nobody asked
        The signal that alone departs so far that somebody should look at its sensor first; empty everywhere else.
    only_holds : bool array of shape (n,), or ``None`` of none
        Which levels hold up an alert that lasts and raise none.

    Sorted by (machine, time).
    """

    model: str
    version: str
    machine: NDArray[Any]
    time: NDArray[np.datetime64]
    level: NDArray[np.float64]
    reason: NDArray[Any]
    threshold: float
    signals: tuple[str, ...] = ()
    filled: NDArray[np.float32] | None = None
    life: NDArray[np.float64] | None = None
    reach: float = np.nan
    alone: NDArray[Any] | None = None
    only_holds: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.time)

    @property
    def over(self) -> NDArray[np.bool_]:
        """Which levels are worth somebody's time, shape (n,)."""
        return self.standing(0.0) if self.only_holds is None else self.standing(0.0) & ~self.only_holds

    def standing(self, dead_band: float) -> NDArray[np.bool_]:
        """Return which levels hold up an alert that lasts, shape (n,): those at the threshold less its dead band.

        Parameters
        ----------
        dead_band : share of the threshold, 0 or more and below 1
        """
        least = self.threshold - dead_band * abs(self.threshold)
        return np.asarray((self.level >= least) & (self.reason != Reason.ONE_SIGNAL.value))

    def built_from(self) -> list[Filled | None]:
        """Return how well the readings cover each row; ``None`` where nothing was expected, or nobody knows."""
        return filled_of(self.signals, self.filled, len(self))

    def lives(self) -> list[Life | None]:
        """Return the remaining life that is told of each row; ``None`` where none is."""
        if self.life is None:
            return [None] * len(self)
        return [None if np.isnan(own).any() else Life.of(own, self.reach) for own in self.life]

    def where(self, rows: NDArray[Any]) -> "Assessments":
        """Return the rows of a mask or index."""
        return replace(
            self,
            machine=self.machine[rows],
            time=self.time[rows],
            level=self.level[rows],
            reason=self.reason[rows],
            filled=None if self.filled is None else self.filled[rows],
            life=None if self.life is None else self.life[rows],
            alone=None if self.alone is None else self.alone[rows],
            only_holds=None if self.only_holds is None else self.only_holds[rows],
        )

"""False alarms that came before an event, but earlier than the horizon: a sign that the horizon is too short."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import numpy as np

from ingest.duration import format_duration
from models.judging.evaluate import AlertVerdict, AssessedTime, Verdict
from models.labels.label import WEAR_HORIZONS
from models.moment import span
from models.rows import machine_rows

_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Early:
    """Alerts that began up to ten horizons before an event, earlier than they could count as right.

    Attributes
    ----------
    ahead : how long before the event each of them began
    by_chance : how many of the false alarms would lie as close before an event if they came at any assessed
        time alike
    """

    ahead: tuple[timedelta, ...] = ()
    by_chance: float = 0.0

    @classmethod
    def of(cls, verdict: Verdict, assessed: AssessedTime, horizon: timedelta) -> Self:
        """Find them among the false alarms of a verdict."""
        begins: dict[str, list[np.datetime64]] = {}
        for event in verdict.events:
            begins.setdefault(event.machine, []).append(event.begin)
        false = [alert for alert in verdict.alerts if alert.verdict == AlertVerdict.FALSE]
        ahead = [
            wait
            for alert in false
            if (wait := _wait(begins.get(alert.machine, []), alert.begin)) is not None and _is_early(wait, horizon)
        ]
        inside = 0
        farthest = span(max(ahead, default=horizon))
        for machine, rows in machine_rows(assessed.machine).items():
            time, near = assessed.time[rows], np.zeros(rows.stop - rows.start, np.bool_)
            for begin in begins.get(machine, []):
                near |= (time >= begin - farthest) & (time < begin - span(horizon))
            inside += int(near.sum())
        return cls(tuple(ahead), len(false) * inside / max(1, len(assessed.time)))

    @classmethod
    def together(cls, parts: Iterable["Early"]) -> Self:
        """Return what several parts found."""
        several = list(parts)
        return cls(tuple(each for part in several for each in part.ahead), sum(part.by_chance for part in several))

    def sentence(self, horizon: timedelta) -> str:
        """Say that a longer horizon would count them as right; empty if they may have come by chance."""
        count = len(self.ahead)
        if count < _FEWEST or count <= self.by_chance + 2 * self.by_chance**0.5:
            return ""
        longest = max(self.ahead)
        step = timedelta(days=1) if longest > timedelta(days=4) else timedelta(hours=1)
        longest = -(-longest // step) * step
        return (
            f"{count} of the false alarms began before an event but earlier than the horizon of"
            f" {format_duration(horizon)}; with a horizon of {format_duration(longest)} they would be right."
        )


def _wait(begins: list[np.datetime64], alert: np.datetime64) -> timedelta | None:
    waits = [begin - alert for begin in begins if begin >= alert]
    return timedelta(microseconds=int(min(waits).astype("timedelta64[us]").astype(np.int64))) if waits else None


def _is_early(wait: timedelta, horizon: timedelta) -> bool:
    return horizon < wait <= WEAR_HORIZONS * horizon

"""Why an event was missed: what the model said, or why it said nothing, while an alert would have been of use."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.assessment import SAID, Assessments, Reason, reason_counts
from models.judging.evaluate import EventVerdict, JudgedAlert, JudgedEvent, Verdict
from models.moment import span
from models.rows import machine_rows

TOO_LATE, NEVER_OVER, TOO_BRIEF, TOO_EARLY, NO_WINDOW, ONE_SIGNAL = (
    "too late",
    "level never over",
    "over too briefly",
    "alert began before the horizon",
    "no window",
    "one signal alone",
)

_UNSAID: Final[Mapping[str, str]] = {
    Reason.NO_DATA.value: "no data",
    Reason.TOO_LITTLE.value: "too little data",
    Reason.DOWN.value: "machine was down",
    Reason.SETTLING.value: "too soon after a failure",
}
"""What a reason is called where it kept an event from being found; the others are called as they are."""

_HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True, slots=True)
class Miss:
    """An event that no alert told of in time.

    Attributes
    ----------
    why : in one or a few words, to be counted
    sentence : the same with figures
    """

    machine: str
    begin: np.datetime64
    mode: str
    why: str
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {**asdict(self), "begin": f"{np.datetime_as_string(self.begin, unit='s')}Z"}


def misses(verdict: Verdict, assessments: Assessments, horizon: timedelta, on_delay: tuple[int, int]) -> list[Miss]:
    """Say of each event that was not found why.

    Parameters
    ----------
    assessments : what was judged, with reasons
    on_delay : n of m windows over the threshold raise an alert
    """
    rows = machine_rows(assessments.machine)
    alerts: dict[str, list[JudgedAlert]] = {}
    for alert in verdict.alerts:
        alerts.setdefault(alert.machine, []).append(alert)
    found = []
    for event in verdict.events:
        if event.verdict == EventVerdict.FOUND:
            continue
        mine = rows.get(event.machine, slice(0, 0))
        time = assessments.time[mine]
        latest = event.begin if event.latest is None else event.latest
        inside = (time >= event.begin - span(horizon)) & (time <= latest)
        own = assessments.where(np.arange(len(assessments))[mine][inside])
        why, sentence = _why(event, own, alerts.get(event.machine, ()), horizon, on_delay)
        found.append(Miss(event.machine, event.begin, event.mode, why, sentence))
    return found


def _why(
    event: JudgedEvent, own: Assessments, alerts: Iterable[JudgedAlert], horizon: timedelta, on_delay: tuple[int, int]
) -> tuple[str, str]:
    if not len(own):
        return NO_WINDOW, "no window ended while an alert would have been of use"
    counts = reason_counts(own.reason)
    valued = own.level[~np.isnan(own.level)]
    silent = {reason: count for reason, count in counts.items() if reason not in SAID}
    if not len(valued):
        reason = max(silent, key=lambda each: silent[each])
        return _UNSAID.get(reason, reason), f"nothing was said: {_shares(silent, len(own))}"
    rest = f"; for the rest nothing was said: {_shares(silent, len(own))}" if silent else ""
    if event.verdict == EventVerdict.LATE:
        after = [alert.begin for alert in alerts if event.begin - span(horizon) <= alert.begin <= event.end]
        ahead = float((event.begin - min(after)) / _HOUR)
        when = f"{ahead:.3g} h before" if ahead >= 0 else f"{-ahead:.3g} h after its begin"
        return TOO_LATE, f"an alert came {when}; {event.needed_hours:.3g} h are needed{rest}"
    before = [alert for alert in alerts if alert.begin < event.begin - span(horizon) and _lasts(alert, own.time)]
    if before:
        ahead = float((event.begin - max(alert.begin for alert in before)) / _HOUR)
        return TOO_EARLY, f"an alert that began {ahead:.3g} h before still lasted; it counts as false{rest}"
    if lone := counts.get(Reason.ONE_SIGNAL.value, 0):
        said = f"one signal alone departed in {lone} of {len(valued)} windows, as before no failure that was recorded"
        return ONE_SIGNAL, f"{said}: its sensor was to be looked at{rest}"
    over = int(own.over.sum())
    if over:
        needed, of = on_delay
        said = f"over the threshold in {over} of {len(valued)} windows, and {needed} of the last {of} raise an alert"
        return TOO_BRIEF, f"{said}{rest}"
    return NEVER_OVER, f"the level rose to {_level(valued.max())}; {_level(own.threshold)} raises an alert{rest}"


def _lasts(alert: JudgedAlert, times: NDArray[np.datetime64]) -> bool:
    return bool(alert.end is None or alert.end > times[0])


def _shares(counts: Mapping[str, int], total: int) -> str:
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{reason} {100 * count / total:.0f} %" for reason, count in ordered)


def _level(level: float) -> str:
    """Write a level with the digits that tell it from 1."""
    return f"{level:.8f}".rstrip("0") if 0.999 < level < 1 else f"{level:.3g}"

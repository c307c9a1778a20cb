"""Judge alerts by what then happened: by events, at the alert level, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.assessment import Assessments
from models.judging.interval import Interval, poisson_rate, wilson
from models.judging.lead import mode_of, needed_of
from models.judging.resample import quantile_interval
from models.moment import instants, is_over, span
from models.persistence import Episode
from models.rows import by_machine, machine_rows

WEEK = timedelta(weeks=1)
HOUR = np.timedelta64(1, "h")


class AlertVerdict(StrEnum):
    """What became of an alert."""

    RIGHT = "right"
    LATE = "late"
    FALSE = "false"
    OPEN = "too recent"


class EventVerdict(StrEnum):
    """What became of an event."""

    FOUND = "found"
    LATE = "late"
    MISSED = "missed"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class AssessedTime:
    """When machines were looked at: nobody is right or wrong about the rest.

    Attributes
    ----------
    machine, time : the assessments that have a value, shape (n,), sorted by (machine, time)
    stride : time that each of them stands for
    known_until : up to when all events are known; ``None`` when they all are
    """

    machine: NDArray[Any]
    time: NDArray[np.datetime64]
    stride: timedelta
    known_until: np.datetime64 | None = None

    @classmethod
    def of(
        cls, assessments: Assessments, stride: timedelta, known_until: np.datetime64 | None = None
    ) -> "AssessedTime":
        """Return when assessments have a value."""
        valued = ~np.isnan(assessments.level)
        return cls(assessments.machine[valued], assessments.time[valued], stride, known_until)

    def machine_weeks(self, horizon: timedelta) -> float:
        """Return the machine-weeks of which it is known what happened within the horizon."""
        return int(np.count_nonzero(is_over(self.time, horizon, self.known_until))) * (self.stride / WEEK)


@dataclass(frozen=True, slots=True)
class JudgedAlert:
    """An alert and what became of it; ``event`` is the begin of the first event that it was about."""

    machine: str
    begin: np.datetime64
    end: np.datetime64 | None
    verdict: AlertVerdict
    event: np.datetime64 | None = None


@dataclass(frozen=True, slots=True)
class JudgedEvent:
    """An event and what became of it.

    Attributes
    ----------
    lead_hours : from its earliest right alert to its begin; negative when an event that lasts was
        found after its onset; ``None`` unless found
    needed_hours : an event is found early enough with at least this much time before its begin
    mode : which component failed or how, in words; empty where nobody said
    latest : last moment at which an alert about it is right; ``None`` where nobody worked it out
    """

    machine: str
    begin: np.datetime64
    end: np.datetime64
    verdict: EventVerdict
    lead_hours: float | None = None
    needed_hours: float = 0.0
    mode: str = ""
    latest: np.datetime64 | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What alerts were worth.

    Attributes
    ----------
    machine_weeks : assessed time of which the truth is known
    """

    alerts: tuple[JudgedAlert, ...]
    events: tuple[JudgedEvent, ...]
    machine_weeks: float

    def alerts_that_are(self, verdict: AlertVerdict) -> int:
        """Count alerts with one verdict."""
        return sum(alert.verdict == verdict for alert in self.alerts)

    def events_that_are(self, verdict: EventVerdict) -> int:
        """Count events with one verdict."""
        return sum(event.verdict == verdict for event in self.events)

    @property
    def judged(self) -> int:
        """Events that the model had a chance to find."""
        return len(self.events) - self.events_that_are(EventVerdict.NOT_JUDGED)

    @property
    def found(self) -> int:
        """Events with a right alert."""
        return self.events_that_are(EventVerdict.FOUND)

    @property
    def missed(self) -> int:
        """Judged events without one, too late or never."""
        return self.judged - self.found

    @property
    def right(self) -> int:
        """Right alerts, each of them."""
        return self.alerts_that_are(AlertVerdict.RIGHT)

    @property
    def right_once(self) -> int:
        """Right alerts, several about one event counted once: what precision is made of."""
        return len({(alert.machine, alert.event) for alert in self.alerts if alert.verdict == AlertVerdict.RIGHT})

    @property
    def false(self) -> int:
        """False alarms."""
        return self.alerts_that_are(AlertVerdict.FALSE)

    @property
    def recall(self) -> Interval:
        """Share of judged events that were found."""
        return wilson(self.found, self.judged)

    @property
    def precision(self) -> Interval:
        """Share of alerts that were right, once an event, at the base rate of the judged time."""
        return wilson(self.right_once, self.right_once + self.false)

    @property
    def false_alarms_per_machine_week(self) -> Interval:
        """False alarms per machine-week of assessed time."""
        return poisson_rate(self.false, self.machine_weeks)

    @property
    def lead_hours(self) -> tuple[float | None, float | None]:
        """Median and 10th percentile of the lead of found events."""
        leads = [event.lead_hours for event in self.events if event.lead_hours is not None]
        if not leads:
            return None, None
        return float(np.median(leads)), float(np.percentile(leads, 10))

    @property
    def lead_intervals(self) -> tuple[Interval, Interval]:
        """Median and 10th percentile of the lead of found events, in hours, with their intervals."""
        leads = np.array([event.lead_hours for event in self.events if event.lead_hours is not None], dtype=np.float64)
        return quantile_interval(leads, 0.5), quantile_interval(leads, 0.1)

    @property
    def early_enough(self) -> float | None:
        """Share of events with an alert about them, right or late, that had the needed lead before their begin."""
        noticed = [event for event in self.events if event.verdict in (EventVerdict.FOUND, EventVerdict.LATE)]
        early = sum(event.lead_hours is not None and event.lead_hours >= event.needed_hours for event in noticed)
        return early / len(noticed) if noticed else None


def pooled(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict on all alerts and events of parts that do not overlap."""
    return replace(
        verdicts[0],
        alerts=tuple(alert for verdict in verdicts for alert in verdict.alerts),
        events=tuple(event for verdict in verdicts for event in verdict.events),
        machine_weeks=sum(verdict.machine_weeks for verdict in verdicts),
    )


def judge(
    episodes: Sequence[Episode],
    targets: pd.DataFrame,
    *,
    horizon: timedelta,
    needed_lead: timedelta,
    assessed: AssessedTime,
    needed_leads: Mapping[str, timedelta] | None = None,
) -> Verdict:
    """Say of each alert whether it was right and of each event whether it was found.

    An alert is right if it begins in [begin − horizon, until − needed lead] of an event on its machine
    (``until`` is the begin of a failure or an instant). Later, up to the event's end, it is late: the event is
    missed, and the alert is no false alarm. Everything else is a false alarm, also an alert that began
    earlier than the horizon and still lasts.

    An alert is judged once its whole horizon was observed, whatever happened in it. An event is judged if
    its machine has an assessment in the span of right alerts; the others are listed. It is found by an
    alert that is too recent, too.

    Parameters
    ----------
    targets : table of ``target_events``
    needed_leads : of single components or failure modes, where it is another one than ``needed_lead``
    """
    begins: dict[str, list[Episode]] = {}
    for episode in episodes:
        begins.setdefault(episode.machine, []).append(episode)
    events, looked = by_machine(targets), machine_rows(assessed.machine)
    alerts: list[JudgedAlert] = []
    judged: list[JudgedEvent] = []
    for machine in sorted({*begins, *events}):
        windows = _Windows.of(events.get(machine, targets[:0]), horizon, needed_lead, needed_leads or {})
        mine = sorted(begins.get(machine, []), key=lambda episode: episode.begin)
        times = assessed.time[looked[machine]] if machine in looked else assessed.time[:0]
        begun = np.array([episode.begin for episode in mine], dtype="datetime64[us]")
        over = is_over(begun, horizon, assessed.known_until)
        alerts += [windows.alert(episode, over=bool(each)) for episode, each in zip(mine, over, strict=True)]
        judged += windows.events(machine, begun, times)
    return Verdict(tuple(alerts), tuple(judged), assessed.machine_weeks(horizon))


@dataclass(frozen=True, slots=True)
class _Windows:
    """The spans in which alerts about a machine's events may begin; arrays of shape (n_events,)."""

    begin: NDArray[np.datetime64]
    end: NDArray[np.datetime64]
    earliest: NDArray[np.datetime64]
    latest: NDArray[np.datetime64]
    needed_hours: NDArray[np.float64]
    mode: tuple[str, ...]

    @classmethod
    def of(
        cls, targets: pd.DataFrame, horizon: timedelta, needed_lead: timedelta, needed_leads: Mapping[str, timedelta]
    ) -> "_Windows":
        begin, end, until = (instants(targets[name]) for name in ("begin", "end", "until"))
        needed = needed_of(targets, needed_lead, needed_leads)
        mode = tuple(map(mode_of, targets["components"], targets["codes"]))
        return cls(begin, end, begin - span(horizon), until - needed, needed / HOUR, mode)

    def alert(self, episode: Episode, *, over: bool) -> JudgedAlert:
        after = self.earliest <= episode.begin
        right = after & (episode.begin <= self.latest)
        late = after & (episode.begin <= self.end)
        about = self.begin[np.argmax(right if right.any() else late)] if late.any() else None
        if not over:
            verdict = AlertVerdict.OPEN
        elif right.any():
            verdict = AlertVerdict.RIGHT
        else:
            verdict = AlertVerdict.LATE if late.any() else AlertVerdict.FALSE
        return JudgedAlert(episode.machine, episode.begin, episode.end, verdict, about)

    def events(self, machine: str, begins: NDArray[np.datetime64], times: NDArray[np.datetime64]) -> list[JudgedEvent]:
        first = np.searchsorted(begins, self.earliest, side="left")
        right = np.searchsorted(begins, self.latest, side="right")
        late = np.searchsorted(begins, self.end, side="right")
        seen = np.searchsorted(times, self.latest, "right") > np.searchsorted(times, self.earliest, "left")
        judged = []
        for row, (begin, end) in enumerate(zip(self.begin, self.end, strict=True)):
            verdict, lead = EventVerdict.NOT_JUDGED, None
            if right[row] > first[row]:
                verdict, lead = EventVerdict.FOUND, float((begin - begins[first[row]]) / HOUR)
            elif seen[row]:
                verdict = EventVerdict.LATE if late[row] > first[row] else EventVerdict.MISSED
            judged.append(
                JudgedEvent(
                    machine, begin, end, verdict, lead, float(self.needed_hours[row]), self.mode[row], self.latest[row]
                )
            )
        return judged

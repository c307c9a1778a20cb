"""How much of the newest time of a class its machines spent in each declared regime."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from features.excluded import excluded_time
from features.left_out import LONGEST_LOOK, READINGS_LOOKED_AT
from features.microsecond import microseconds, moment
from features.regime_share import declared_spans
from features.regimes import Regimes
from features.running import Running
from features.sampling import signal_intervals
from features.timeline import timelines
from ingest.duration import format_duration
from ingest.history import History
from ingest.plant import MachineClass


@dataclass(frozen=True, slots=True)
class RegimeTime:
    """What machines of a class did with their time.

    Attributes
    ----------
    shares : of the time in which machines ran, by regime, that of no regime last, 0 to 1; what is missing to 1
        is not known
    span : length of that time, up to each machine's newest reading
    """

    machine_class: str
    shares: dict[str, float]
    span: timedelta

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {"class": self.machine_class, "shares": self.shares, "span": format_duration(self.span)}

    def summary(self) -> str:
        """Say it in one sentence."""
        told = [f"{name} {share:.0%}" if share else f"{name} never" for name, share in self.shares.items()]
        unknown = 1 - sum(self.shares.values())
        told += [f"not known {unknown:.0%}"] if unknown >= 0.005 else []
        return f"{self.machine_class}: regimes in the newest {format_duration(self.span)}: {', '.join(told)}."


def regime_time(machine_class: MachineClass, history: History) -> RegimeTime | None:
    """Return how a class ran; ``None`` if it declares no regimes or was never read.

    Raises
    ------
    NotEnoughDataError
        When it is not known how often a signal is read.
    """
    spans = history.spans(machine_class.name)
    if not machine_class.regimes or not spans:
        return None
    sampling = signal_intervals(history, machine_class)
    regimes, running = Regimes.of(machine_class, sampling), Running.of(machine_class, sampling)
    if regimes is None:
        return None
    every = min((sampling[name] for name in regimes.signals), default=LONGEST_LOOK)
    longest = max(newest - first for first, newest in spans.values())
    span = min(LONGEST_LOOK, every * (READINGS_LOOKED_AT // len(spans)), max(longest, every))
    held, ran = np.zeros(len(regimes.parts)), 0.0
    for machine, (first, newest) in spans.items():
        start = max(first - timedelta(microseconds=1), newest - span)
        own, length = _held(regimes, running, history, machine_class.name, machine, start, newest)
        held, ran = held + own, ran + length
    return RegimeTime(
        machine_class.name, dict(zip(regimes.parts, (held / ran if ran else held).tolist(), strict=True)), span
    )


def _held(
    regimes: Regimes,
    running: Running | None,
    history: History,
    machine_class: str,
    machine: str,
    start: datetime,
    end: datetime,
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], float]:
    """Return the microseconds of one machine in each regime, and those in which it ran."""
    begin, stop = moment(start), moment(end)
    ages = [microseconds(each) for each in regimes.holds]
    states = any(each.uses_state for each in regimes.read())
    (line,) = timelines(regimes.signals, ages, history, machine_class, [machine], begin, stop, states=states)
    spans = declared_spans(regimes, line)
    whole = stop - begin
    if running is not None:
        (excluded,) = excluded_time(running, history, machine_class, [machine], begin, stop)
        spans = [each.without(excluded) for each in spans]
        whole -= int(excluded.within(np.array([begin]), np.array([stop]))[0])
    held = [int(each.within(np.array([begin]), np.array([stop]))[0]) for each in spans]
    return np.array(held, np.float64), float(whole)

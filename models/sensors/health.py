"""◆ The health of sensors: at each hour which of them cannot be believed, and why.

Only readings up to an hour, of the 24 days before it, have a say in it: whoever asks later, or again,
is told the same. A fault that lasts longer than a week begins to look usual.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from ingest.plant import MachineClass
from ingest.store import History
from models.moment import as_datetime
from models.sensors.block import HOUR, Block, Flags, Hours, Values, expected_interval, hours_in, read_blocks
from models.sensors.fortnight import usual
from models.sensors.looks import LOOKS, Around
from models.sensors.usual import LOOKS_BACK, Usual

TRUSTED_AGAIN = timedelta(hours=6)

REACH = LOOKS_BACK + TRUSTED_AGAIN
"""For how long after a reading it may decide whether a sensor is believed, what is usual left aside."""

WORDS: Mapping[str, str] = {
    "missing": "most of its readings are missing while others come",
    "stuck": "it stands still while others move",
    "noise": "it is much noisier than usual, at its usual level",
    "spikes": "single readings jump there and back",
}
"""What each kind of fault is, for people."""

_MISSING_FROM = 0.6
_TIMES = 4.0
_CODES = (*WORDS,)


@dataclass(frozen=True, slots=True)
class Health:
    """What is wrong with the sensors of one machine at each hour.

    Attributes
    ----------
    signals : names
    hours : whole hours, shape (n_hours,)
    fault : number of the kind of fault, counted from 1 in the order of ``WORDS``; 0 while the sensor
        can be believed; shape (n_signals, n_hours)
    """

    signals: tuple[str, ...]
    hours: Hours
    fault: NDArray[np.int8]

    def bad(self, signals: Sequence[str]) -> Flags:
        """Say at which hours any of these signals cannot be believed."""
        asked = [place for place, name in enumerate(self.signals) if name in signals]
        return np.asarray((self.fault[asked] > 0).any(axis=0))

    def now(self) -> dict[str, tuple[str, datetime]]:
        """Return, of each signal that cannot be believed at the last hour, the kind of fault and since when."""
        found = {}
        for name, fault in zip(self.signals, self.fault, strict=True):
            if len(fault) and fault[-1]:
                fine = np.flatnonzero(fault == 0)
                since = self.hours[fine[-1] + 1 if len(fine) else 0]
                found[name] = _CODES[fault[-1] - 1], as_datetime(since)
        return found


def sensor_health(
    history: History, machine_class: MachineClass, machines: Sequence[str], start: datetime, end: datetime
) -> dict[str, Health]:
    """Return the health of the sensors of machines at the whole hours in (start, end].

    A sensor is bad as soon as its readings of two hours, eight at least, look far worse than its own
    fortnight before, and believed again after six hours without that.
    """
    if not machines:
        return {}
    signals = tuple(each.name for each in machine_class.signals)
    every = expected_interval(history, machine_class)
    hours = hours_in(start - TRUSTED_AGAIN, end)
    marks = {machine: np.zeros((len(signals), len(hours)), np.int8) for machine in machines}
    for day in np.unique(_day_of(hours)):
        at = np.flatnonzero(_day_of(hours) == day)
        begin = as_datetime(day.astype("datetime64[us]"))
        known = usual(history, machine_class.name, signals, machines, begin, every)
        first, last = as_datetime(hours[at[0]]), as_datetime(hours[at[-1]])
        for machine, block in read_blocks(
            history, machine_class.name, signals, machines, first - LOOKS_BACK - timedelta(hours=1), last, every
        ):
            marks[machine][:, at] = faults(block, known[machine], hours[at])
    kept = hours > np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "us")
    return {machine: Health(signals, hours[kept], _held(own)[:, kept]) for machine, own in marks.items()}


def faults(block: Block, usual: Sequence[Usual | None], hours: Hours) -> NDArray[np.int8]:
    """Return which fault each signal shows at each hour; shape (n_signals, n_hours), 0 for none."""
    around = Around(block, usual, hours)
    heard = np.searchsorted(block.time, hours, "right") > np.searchsorted(block.time, hours - HOUR, "right")
    found = np.zeros((len(usual), len(hours)), np.int8)
    for signal, own in enumerate(usual):
        if own is None:
            continue
        for number, (code, look) in reversed(list(enumerate(LOOKS.items(), start=1))):
            found[signal, _beyond(code, look(around, signal), own) & heard] = number
    return found


def _beyond(code: str, look: Values, usual: Usual) -> Flags:
    known = usual.looks[code]
    if code == "missing":
        return look > max(_MISSING_FROM, (1 + known) / 2)
    # A noise that was never there before has no multiple; a jump is none where the machine itself jumps as far.
    least = {"stuck": usual.width, "noise": 0.0 if known else usual.change, "spikes": usual.change}[code]
    return look > max(least, _TIMES * known)


def _held(marks: NDArray[np.int8]) -> NDArray[np.int8]:
    """Hold each mark for as long as the sensor is not trusted again."""
    held = marks.copy()
    for late in range(1, int(TRUSTED_AGAIN / timedelta(hours=1))):
        earlier = marks[:, :-late] if late < marks.shape[1] else marks[:, :0]
        place = held[:, late:]
        place[place == 0] = earlier[place == 0]
    return held


def _day_of(hours: Hours) -> NDArray[np.datetime64]:
    return (hours - np.timedelta64(1, "us")).astype("datetime64[D]")

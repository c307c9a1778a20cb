"""◆ The health of sensors: at each hour which of them cannot be believed, and why.

Only readings of its class up to an hour, of the six weeks before it, have a say in it: whoever asks later, or again,
is told the same. A fault that lasts longer than a week begins to look usual.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ingest.history import History
from ingest.plant import MachineClass
from models.moment import as_datetime, instant
from models.sensors.block import CLOSE, HOUR, Block, Flags, Hours, Values, expected_interval, hours_in, read_blocks
from models.sensors.departs import ALONE, LOOKED_BACK, TOGETHER, departures, lone_steps
from models.sensors.fortnight import REACHES_BACK, WEEK, usual, usual_alone, usual_together, week_of
from models.sensors.held import LONGEST, TRUSTED_AGAIN, held, stepped
from models.sensors.looks import LOOKS, Around
from models.sensors.peers import common, peers_of
from models.sensors.together import Beside, Together, hourly
from models.sensors.usual import LOOKS_BACK, Usual

REACH = LOOKS_BACK + TRUSTED_AGAIN
"""For how long after a reading it may decide whether a sensor is believed, what is usual left aside."""

WORDS: Mapping[str, str] = {
    "missing": "most of its readings are missing while others come",
    "stuck": "it stands still while others move",
    "noise": "it is much noisier than usual, at its usual level",
    "spikes": "single readings jump there and back",
    "apart": "it departs from what the other signals say, as a sensor that drifts or is off does",
    "step": "it jumped from one reading to the next and stays there, while the other signals did not",
}
"""What each kind of fault is, for people."""

_DAY = timedelta(days=1)
_ROWS = 3
_BESIDE = LOOKS_BACK + CLOSE.astype(timedelta)

_MISSING_FROM = 0.6
_TIMES = 4.0
_CODES = (*WORDS,)
APART = _CODES.index("apart") + 1
"""The number of the kind of fault that leaves the signal out and says nothing against the machine's others."""

STEP = _CODES.index("step") + 1
"""The number of the kind of fault that a sensor has that is off by a constant."""

JOINED = -1
"""A signal that departs together with others: that is the machine."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is wrong with the sensors of one machine at each hour.

    Attributes
    ----------
    signals : names
    hours : whole hours, shape (n_hours,)
    fault : number of the kind of fault, counted from 1 in the order of ``WORDS``; 0 while the sensor
        can be believed, −1 (``JOINED``) while it departs together with others; shape (n_signals, n_hours)
    """

    signals: tuple[str, ...]
    hours: Hours
    fault: NDArray[np.int8]

    def bad(self, signals: Sequence[str]) -> Flags:
        """Say at which hours the readings of any of these signals are so broken that a machine gets no number."""
        asked = [place for place, name in enumerate(self.signals) if name in signals]
        return np.asarray(((self.fault[asked] > 0) & (self.fault[asked] != APART)).any(axis=0))

    def is_doubted(self, signal: str, since: np.datetime64, until: np.datetime64) -> bool:
        """Say whether a signal is apart at the last whole hour of (since, until], or was worse at any of them."""
        first, stop = np.searchsorted(self.hours, np.array([since, until]), side="right")
        if signal not in self.signals or stop == 0:
            return False
        own = self.fault[self.signals.index(signal)]
        return bool(own[stop - 1] > 0 or ((own[first:stop] > 0) & (own[first:stop] != APART)).any())

    def now(self) -> dict[str, tuple[str, datetime]]:
        """Return, of each signal that cannot be believed at the last hour, the kind of fault and since when."""
        found = {}
        for name, fault in zip(self.signals, self.fault, strict=True):
            if len(fault) and fault[-1] > 0:
                fine = np.flatnonzero(fault <= 0)
                since = self.hours[fine[-1] + 1 if len(fine) else 0]
                found[name] = _CODES[fault[-1] - 1], as_datetime(since)
        return found


def sensor_health(
    history: History, machine_class: MachineClass, machines: Sequence[str], start: datetime, end: datetime
) -> dict[str, Health]:
    """Return the health of the sensors of machines at the whole hours in (start, end].

    A sensor is bad as soon as its readings of two hours, eight at least, look far worse than its own
    fortnight before, and believed again after six hours without that. Waveforms are not looked at.
    """
    if not machines:
        return {}
    signals = tuple(each.name for each in machine_class.slow_signals)
    every = expected_interval(history, machine_class)
    hours = hours_in(start - 2 * LONGEST, end)
    marks = {machine: np.zeros((_ROWS, len(signals), len(hours)), np.int8) for machine in machines}
    for begin, last in _spans(hours) if signals else ():
        keys = [("sensor marks", signals, machine) for machine in machines]
        work = partial(_marks, history, machine_class.name, signals, machines, begin, last, every)
        # What readings of absurd size come to is infinite, or no number, and so nothing that is usual.
        with np.errstate(over="ignore", invalid="ignore"):
            found = history.derived(machine_class.name, week_of(begin) - REACHES_BACK, last, keys, work)
        at = np.flatnonzero((hours > instant(begin)) & (hours <= instant(last)))
        for machine, own in zip(machines, found, strict=True):
            marks[machine][..., at] = own[..., own.shape[-1] - len(at) :]
    kept = hours > instant(start)
    return {machine: Health(signals, hours[kept], _fault(own)[:, kept]) for machine, own in marks.items()}


def _fault(marks: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the fault of each signal at each hour, held; a broken sensor is called that before one that stepped.

    While one is broken no other is apart: it is foretold by the broken one.
    """
    shown, steps, agrees = marks
    found = held(shown)
    off = stepped(steps, agrees > 0) & ((found <= 0) | (found == APART))
    found = np.where(off, np.int8(STEP), found)
    broken = (found > 0) & (found != APART)
    return np.where((found == APART) & broken.any(axis=0), np.int8(JOINED), found)


def _spans(hours: Hours) -> Iterator[tuple[datetime, datetime]]:
    """Yield what is worked out and remembered at once: whole weeks that are over by the last hour, then days."""
    if not len(hours):
        return
    first, end = as_datetime(hours[0] - HOUR), as_datetime(hours[-1])
    begin = week_of(first)
    while begin < end:
        length = WEEK if begin + WEEK <= end else _DAY
        if begin + length > first:
            yield begin, min(begin + length, end)
        begin += length


def _marks(
    history: History,
    machine_class: str,
    signals: Sequence[str],
    machines: Sequence[str],
    begin: datetime,
    last: datetime,
    every: timedelta,
    which: Sequence[int],
) -> list[NDArray[np.int8]]:
    """Return the marks of some machines at the hours of some days up to the last one."""
    names = [machines[place] for place in which]
    days = [begin + number * _DAY for number in range(-(-(last - begin) // _DAY))]
    marks = {machine: np.zeros((_ROWS, len(signals), len(hours_in(begin, last))), np.int8) for machine in names}
    blocks = read_blocks(history, machine_class, signals, names, begin - _BESIDE, last, every)
    one = next(blocks, None)
    if one is None:  # as between a clock that was wrong by years and all other readings
        return [marks[machine] for machine in names]
    known = [usual(history, machine_class, signals, names, day, every) for day in days]
    beside = usual_together(history, machine_class, signals, names, begin, every)
    shared = _common(history, machine_class, signals, beside, begin, last, every)
    for machine, block in itertools.chain([one], blocks):
        departs = _departures(block, beside[machine], hours_in(begin, last), shared.get(machine))
        usuals = [own[machine] for own in known]
        pieces = [number for number, own in enumerate(usuals) if number == 0 or own != usuals[number - 1]]
        broken = np.concatenate(
            [
                _faults(block, usuals[first], hours_in(days[first], min(days[stop - 1] + _DAY, last)))
                for first, stop in itertools.pairwise([*pieces, len(days)])
            ],
            axis=1,
        )
        marks[machine] = np.stack([np.where(broken > 0, broken, departs[0]), *departs[1:]])
    return [marks[machine] for machine in names]


def _common(
    history: History,
    machine_class: str,
    signals: Sequence[str],
    beside: Mapping[str, Together | None],
    begin: datetime,
    last: datetime,
    every: timedelta,
) -> dict[str, Values]:
    """Return what the peers of each machine that is compared with any are off by, from ``LOOKED_BACK`` on."""
    spans, since = history.spans(machine_class), week_of(begin) - REACHES_BACK
    compared = [name for name, own in beside.items() if own is not None and own.gain.any()]
    peers = {machine: peers_of(machine, spans, since) for machine in compared}
    asked = sorted({each for own in peers.values() for each in own})
    if not asked:
        return {}
    keys = [("off", tuple(signals), machine) for machine in asked]
    work = partial(_off, history, machine_class, signals, asked, begin, last, every)
    off = dict(zip(asked, history.derived(machine_class, since, last, keys, work), strict=True))
    return {machine: common([off[each] for each in own]) for machine, own in peers.items()}


def _off(
    history: History,
    machine_class: str,
    signals: Sequence[str],
    machines: Sequence[str],
    begin: datetime,
    last: datetime,
    every: timedelta,
    which: Sequence[int],
) -> list[Values]:
    """Return how far some machines are from what their own signals let expect; NaN where nobody knows."""
    names, hours = [machines[place] for place in which], _reaching(hours_in(begin, last))
    usual = usual_alone(history, machine_class, signals, names, begin, every)
    found = {}
    for machine, block in read_blocks(history, machine_class, signals, names, begin - _BESIDE, last, every):
        own = usual[machine]
        if own is not None:
            found[machine] = Beside(own, hourly(block, hours)).off.by
    unknown = np.full((len(signals), len(hours)), np.nan)
    return [found.get(machine, unknown) for machine in names]


def _reaching(hours: Hours) -> Hours:
    return np.concatenate([hours[0] - np.arange(LOOKED_BACK, 0, -1) * HOUR, hours])


def _departures(block: Block, beside: Together | None, hours: Hours, shared: Values | None) -> NDArray[np.int8]:
    """Return how each signal goes with the others at each hour, shape (3, n_signals, n_hours).

    ``APART`` where it departs alone, ``JOINED`` with others; its steps; 1 where it agrees with the others.
    """
    if beside is None:
        return np.zeros((_ROWS, len(block.values), len(hours)), np.int8)
    reaching = _reaching(hours)
    own = Beside(beside, hourly(block, reaching), common=shared)
    departs = departures(own) * _heard(block, hours)
    fault = np.where(departs == ALONE, APART, np.where(departs == TOGETHER, JOINED, 0))
    steps = lone_steps(own, block, reaching)[:, LOOKED_BACK:]
    return np.stack([fault, steps, np.abs(own.away[:, -len(hours) :]) < 1.0]).astype(np.int8)


def _heard(block: Block, hours: Hours) -> Flags:
    ends = (np.searchsorted(block.time, each, side="right") for each in (hours, hours - HOUR))
    return np.greater(*ends)


def _faults(block: Block, usual: Sequence[Usual | None], hours: Hours) -> NDArray[np.int8]:
    """Return the fault that each signal shows by itself at each hour, 0 for none; shape (n_signals, n_hours)."""
    found = np.zeros((len(usual), len(hours)), np.int8)
    around, heard = Around(block, usual, hours), _heard(block, hours)
    for signals in around.alike():
        for number, (code, look) in reversed(list(enumerate(LOOKS.items(), start=1))):
            beyond = _beyond(code, look(around, signals), around.of_usual(signals)) & heard
            found[signals] = np.where(beyond, np.int8(number), found[signals])
    return found


def _beyond(code: str, look: Values, usual: Sequence[Usual]) -> Flags:
    """Say where the look of each signal is far worse than is usual of it, shape (n_signals, n_hours)."""
    return look > np.array([[_most(code, own)] for own in usual])


def _most(code: str, usual: Usual) -> float:
    known = usual.looks[code]
    if code == "missing":
        return max(_MISSING_FROM, (1 + known) / 2)
    # A noise that was never there before has no multiple; a jump is none where the machine itself jumps as far.
    least = {"stuck": usual.width, "noise": 0.0 if known else usual.change, "spikes": usual.change}[code]
    return max(least, _TIMES * known)

"""What is usual of each signal: how its readings looked in the fourteen days before."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ingest.history import History
from models.sensors.block import HOUR, Block, Hours, Values, hours_in, read_blocks
from models.sensors.looks import LOOKS, Around
from models.sensors.peers import FEWEST, peers_of
from models.sensors.together import Together, beside_peers, together
from models.sensors.usual import LOOKS_BACK, Usual

WEEK = timedelta(days=7)
FORTNIGHT = 2 * WEEK
REACHES_BACK = FORTNIGHT + WEEK
"""From how long before the week that an hour lies in readings say what is usual then."""

_FEWEST_HOURS = 120
_FEWEST_READINGS = 8
_BAD_AFTER = 2 * HOUR
_SELDOM = LOOKS_BACK / 24
_LONG_AGO = np.datetime64("NaT", "h")


_Settled = tuple[list[Usual | None], Together | None]


def usual_of(block: Block, hours: Hours) -> list[Usual | None]:
    """Return what is usual of each signal of a machine.

    ``None`` for a signal that was read in fewer than 120 of the hours, or so seldom that two days hold
    fewer than 24 readings.
    """
    plain = [_plain(block.time, values, changes) for values, changes in zip(block.values, block.changes, strict=True)]
    around, found = Around(block, plain, hours), list(plain)
    for signals in around.alike():
        looks = {code: look(around, signals) for code, look in LOOKS.items()}
        for place, (signal, own) in enumerate(zip(signals.tolist(), around.of_usual(signals), strict=True)):
            found[signal] = replace(own, looks={code: _ninth(look[place]) for code, look in looks.items()})
    return found


def usual(
    history: History,
    machine_class: str,
    signals: Sequence[str],
    machines: Sequence[str],
    day: datetime,
    every: timedelta,
) -> dict[str, list[Usual | None]]:
    """Return what was usual of machines before a day.

    That is the fortnight that ended a week before this week began, so that a fault does not soon look usual itself;
    or the newest fortnight, of a signal that was not read long enough then.

    Parameters
    ----------
    day : its begin
    every : about how often readings come
    """
    settled = _settled(history, machine_class, signals, machines, week_of(day), every)
    young = [machine for machine in machines if None in settled[machine][0]]
    newest = _newest(history, machine_class, signals, young, day, every) if young else {}
    return {
        machine: [old or new for old, new in zip(own, newest.get(machine, own), strict=True)]
        for machine, (own, _) in settled.items()
    }


def week_of(moment: datetime) -> datetime:
    """Return when the week of a moment began: the last Monday, midnight UTC.

    Examples
    --------
    >>> week_of(datetime(2026, 1, 8, 5, 30))
    datetime.datetime(2026, 1, 5, 0, 0)
    """
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=moment.weekday())


def usual_together(
    history: History,
    machine_class: str,
    signals: Sequence[str],
    machines: Sequence[str],
    day: datetime,
    every: timedelta,
) -> dict[str, Together | None]:
    """Return how the signals of machines went together in the fortnight that ended a week before this week began.

    What the week in between differed by, in its middle, counts as season. What its peers are off by at once is foretold
    from them, where that helps.
    """
    week = week_of(day)
    spans = history.spans(machine_class)
    peers = {machine: peers_of(machine, spans, week - REACHES_BACK) for machine in machines}
    asked = sorted({*machines, *(each for own in peers.values() for each in own)})
    settled = _settled(history, machine_class, signals, asked, week, every)
    found: dict[str, Together | None] = {}
    for machine in machines:
        own = settled[machine][1]
        beside = [settled[each][1] for each in peers[machine]]
        known = [each for each in beside if each is not None]
        found[machine] = own if own is None or len(known) < FEWEST else beside_peers(own, known)
    return found


def usual_alone(
    history: History,
    machine_class: str,
    signals: Sequence[str],
    machines: Sequence[str],
    day: datetime,
    every: timedelta,
) -> dict[str, Together | None]:
    """Return the same, each machine by itself."""
    settled = _settled(history, machine_class, signals, machines, week_of(day), every)
    return {machine: beside for machine, (_, beside) in settled.items()}


def _settled(
    history: History,
    machine_class: str,
    signals: Sequence[str],
    machines: Sequence[str],
    week: datetime,
    every: timedelta,
) -> dict[str, _Settled]:
    start = week - REACHES_BACK
    keys = [("settled", tuple(signals), machine) for machine in machines]
    work = partial(_work_settled, history, machine_class, signals, machines, week, every)
    return dict(zip(machines, history.derived(machine_class, start, week, keys, work), strict=True))


def _work_settled(
    history: History,
    machine_class: str,
    signals: Sequence[str],
    machines: Sequence[str],
    week: datetime,
    every: timedelta,
    which: Sequence[int],
) -> list[_Settled]:
    names, start, until = [machines[place] for place in which], week - REACHES_BACK, week - WEEK
    before, after = hours_in(start, until), hours_in(until, week)
    found = {
        machine: (
            usual_of(block.part(start, until), hours_in(start + LOOKS_BACK, until)),
            together(block, before, after),
        )
        for machine, block in read_blocks(history, machine_class, signals, names, start, week, every)
    }
    return [found.get(machine, ([None] * len(signals), None)) for machine in names]


def _newest(
    history: History,
    machine_class: str,
    signals: Sequence[str],
    machines: Sequence[str],
    until: datetime,
    every: timedelta,
) -> dict[str, list[Usual | None]]:
    start = until - FORTNIGHT
    keys = [("usual", tuple(signals), machine) for machine in machines]
    work = partial(_work_newest, history, machine_class, signals, machines, until, every)
    return dict(zip(machines, history.derived(machine_class, start, until, keys, work), strict=True))


def _work_newest(
    history: History,
    machine_class: str,
    signals: Sequence[str],
    machines: Sequence[str],
    until: datetime,
    every: timedelta,
    which: Sequence[int],
) -> list[list[Usual | None]]:
    names, start = [machines[place] for place in which], until - FORTNIGHT
    hours = hours_in(start + LOOKS_BACK, until)
    found = {
        machine: usual_of(block, hours)
        for machine, block in read_blocks(history, machine_class, signals, names, start, until, every)
    }
    return [found.get(machine, [None] * len(signals)) for machine in names]


def _plain(time: Hours, values: Values, changes: Values) -> Usual | None:
    read = time[~np.isnan(values)]
    if np.count_nonzero(np.diff(read.astype("datetime64[h]"), prepend=_LONG_AGO)) < _FEWEST_HOURS:
        return None
    step = np.median(np.diff(read).astype(np.int64)) * np.timedelta64(1, "us")
    if step > np.timedelta64(_SELDOM):
        return None
    width = max(_FEWEST_READINGS, int(np.ceil(_BAD_AFTER / step)))
    low, high = np.nanquantile(values, (0.01, 0.99))
    return Usual(width, float(np.nanquantile(changes, 0.95)), float(low), float(high), _rests(values, width // 2), {})


def _rests(values: Values, least: int) -> dict[float, int]:
    """Return the values that a signal kept twice or more for at least so many readings, with a run of each.

    It is the second longest: one long run alone may be a sensor that hangs.
    """
    read = values[~np.isnan(values)]
    begins = np.flatnonzero(np.diff(read, prepend=np.nan) != 0)
    lengths = np.diff(begins, append=len(read))
    long = lengths >= least
    runs: dict[float, list[int]] = {}
    for value, length in zip(read[begins[long]].tolist(), lengths[long].tolist(), strict=True):
        runs.setdefault(value, []).append(length)
    return {value: sorted(own)[-2] for value, own in runs.items() if len(own) > 1}


def _ninth(look: NDArray[np.float64]) -> float:
    known = look[~np.isnan(look)]
    return float(np.quantile(known, 0.9)) if len(known) >= _FEWEST_HOURS // 2 else np.nan

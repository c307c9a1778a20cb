"""Local times to UTC, on the two days of a year that are not like the others, too.

The rule for a local time that comes twice (the clock was set back): it is the first of the two, unless
this machine's readings have stepped backward within that repeated hour; from then on it is the second.
A local time that never was (the clock was set forward) is read with the offset from before the change:
02:30 becomes 03:30 summer time.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

_SECOND = 1_000_000
_DAY = 86_400
_STRETCH = 366
"""Days that are looked at together."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LocalClock:
    """Turns the local times of one source into UTC; remembers where each machine is in a repeated hour."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._seen: dict[str, tuple[int, bool]] = {}

    def to_utc(self, local: Integers, machines: Integers, names: list[str]) -> Integers:
        """Return UTC times of local ones.

        Parameters
        ----------
        local : microseconds since 1970 on the wall clock, in the order of the file, shape (n_rows,)
        machines : index of each row's machine in ``names``, shape (n_rows,)
        """
        if len(local) == 0:
            return local
        low, high = int(local.min()) // _SECOND, int(local.max()) // _SECOND
        changes, offsets = _changes(self._zone, low // _DAY - 2, high // _DAY + 3)
        first = _offset(local, changes, offsets, np.maximum)
        second = _offset(local, changes, offsets, np.minimum)
        utc = local - first
        for row in np.flatnonzero(first > second).tolist():
            if self._is_second(names[machines[row]], int(local[row])):
                utc[row] = local[row] - second[row]
        return utc

    def _is_second(self, machine: str, local: int) -> bool:
        before, second = self._seen.get(machine, (local, False))
        if abs(local - before) > _DAY * _SECOND:
            second = False
        elif local < before:
            second = True
        self._seen[machine] = (local, second)
        return second


def _offset(local: Integers, changes: Integers, offsets: Integers, choose: np.ufunc) -> Integers:
    """Return each time's offset; where two are possible, ``choose`` says at which local time they change."""
    switches = changes + choose(offsets[:-1], offsets[1:])
    return offsets[np.searchsorted(switches, local, side="right")]


def _changes(zone: ZoneInfo, first_day: int, last_day: int) -> tuple[Integers, Integers]:
    """Return when a zone changes its offset between two days (UTC, µs), or a while before or after them, and the
    offsets around (µs).
    """
    first, last = first_day // _STRETCH, last_day // _STRETCH
    found = [each for stretch in range(first, last + 1) for each in _changes_in(zone, stretch)]
    before = _offset_at(zone, first * _STRETCH * _DAY)
    return (
        np.array([when for when, _ in found], np.int64),
        np.array([before, *(offset for _, offset in found)], np.int64),
    )


@lru_cache(maxsize=4096)
def _changes_in(zone: ZoneInfo, stretch: int) -> tuple[tuple[int, int], ...]:
    """Return each change of a stretch of days, and the offset from then on (µs).

    Looking at each day takes a millisecond a year; a body with times of all centuries must not do so every time.
    """
    changes: list[tuple[int, int]] = []
    offset = _offset_at(zone, stretch * _STRETCH * _DAY)
    for day in range(stretch * _STRETCH, (stretch + 1) * _STRETCH):
        low, high = day * _DAY, (day + 1) * _DAY
        after = _offset_at(zone, high)
        if after == offset:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset_at(zone, middle) == offset else (low, middle)
        offset = after
        changes.append((high * _SECOND, offset))
    return tuple(changes)


def _offset_at(zone: ZoneInfo, seconds: int) -> int:
    offset = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) * _SECOND

"""Every IANA zone, every day of many years, every half-hour: the slots of daily jobs against a brute-force oracle.

Run ``python -m tests.trials.zones --first 2020 --last 2037``. The oracle knows nothing of cron or of folds: it lays
out each minute of UTC, adds the zone's offset, and takes the first minute at which local clocks show the time or have
passed it. Zones whose clocks are the same in all these years are looked at once.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
from numpy.typing import NDArray

from ingest.plant import Job
from service.jobs.schedule import slots

HALF_HOURS = [(hour, minute) for hour in range(24) for minute in (0, 30)]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = 24 * 60

Minutes = NDArray[np.int64]


def edges(zone: ZoneInfo, start: datetime, end: datetime) -> tuple[tuple[int, int], ...]:
    """Return from which minute of [start, end) on the zone has which offset, in minutes of UTC."""
    count = (end - start) // MINUTE
    found = [(0, _offset(zone, start))]
    for hour in range(0, count, 60):
        if _offset(zone, start + min(hour + 60, count) * MINUTE) != found[-1][1]:
            for minute in range(hour, hour + 61):
                if (new := _offset(zone, start + minute * MINUTE)) != found[-1][1]:
                    found.append((minute, new))
    return tuple(found)


def offsets(known: tuple[tuple[int, int], ...], count: int) -> Minutes:
    """Lay the offsets out, one for each of so many minutes."""
    ends = [*(minute for minute, _ in known[1:]), count]
    return np.concatenate([np.full(end - begin, offset) for (begin, offset), end in zip(known, ends, strict=True)])


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    assert offset % MINUTE == timedelta(0), f"{zone} is off by seconds"
    return offset // MINUTE


def expected(offset: Minutes, start: datetime, first: date, days: int, hour: int, minute: int) -> Minutes:
    """Return at which minutes of UTC, since 1970, a daily job runs: one for each day from the first on."""
    begin = (start - EPOCH) // MINUTE
    local = begin + np.arange(len(offset)) + offset
    # Once local clocks have shown a time, they have, whatever they are set back to.
    shown = np.maximum.accumulate(local)
    midnight = (datetime(first.year, first.month, first.day, tzinfo=UTC) - EPOCH) // MINUTE
    return begin + np.searchsorted(shown, midnight + np.arange(days) * DAY + hour * 60 + minute)


def found(zone: ZoneInfo, first: date, days: int, hour: int, minute: int) -> Minutes:
    """Return at which minutes of UTC, since 1970, our schedule has a daily job run."""
    job = Job(name="j", action="score", cron=f"{minute} {hour} * * *")
    start = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=2)
    ours = slots(job, zone, start, start + timedelta(days=days + 4))
    last = first + timedelta(days=days - 1)
    # A slot belongs to the day on which it runs; none of these zones leaves out a whole day.
    within = [slot for slot in ours if first <= slot.astimezone(zone).date() <= last]
    return np.array([(slot - EPOCH) // MINUTE for slot in within], dtype=np.int64)


def groups(names: Iterable[str], start: datetime, end: datetime) -> Iterator[tuple[list[str], Minutes]]:
    """Yield zones whose clocks are the same, with their offsets."""
    same: dict[tuple[tuple[int, int], ...], list[str]] = defaultdict(list)
    for name in sorted(names):
        same[edges(ZoneInfo(name), start, end)].append(name)
    for known, members in same.items():
        yield members, offsets(known, (end - start) // MINUTE)


def windows(offset: Minutes, days: int, near: int | None) -> Iterator[tuple[int, int]]:
    """Yield the days to look at, as first and count: all, or those within ``near`` days of a change of clocks.

    The offsets begin two days before day 0, so that what came before is known there, too.
    """
    if near is None:
        yield 0, days
        return
    begin = over = 0
    for change in np.flatnonzero(np.diff(offset)) // DAY - 2:
        if change - near > over:
            if over > begin:
                yield begin, over - begin
            begin = int(change) - near
        over = min(days, int(change) + near + 1)
    if over > begin:
        yield begin, over - begin


def compare(names: Iterable[str], first: date, last: date, *, near: int | None = None, tell: bool = False) -> str:
    """Compare all zones on the days of [first, last], and return what came of it.

    Parameters
    ----------
    near : only days that are so near to a change of clocks; all days when left out

    Raises
    ------
    AssertionError
        With the first zone and time of which a slot is missing or extra.
    """
    days = (last - first).days + 1
    start = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=2)
    zones = kinds = looked_at = 0
    for members, offset in groups(names, start, start + timedelta(days=days + 4)):
        for begin, count in windows(offset, days, near):
            own = offset[begin * DAY : (begin + count + 4) * DAY]
            _compare(members[0], own, first + timedelta(days=begin), count)
            looked_at += len(members) * count * len(HALF_HOURS)
        zones, kinds = zones + len(members), kinds + 1
        if tell:
            sys.stderr.write(f"{zones} zones, {kinds} kinds of clocks\n")
    which = f"{days:,} days" if near is None else f"the days within {near} of a change of clocks among {days:,}"
    return (
        f"{zones} zones with {kinds} kinds of clocks, {which}, {len(HALF_HOURS)} half-hours: "
        f"{looked_at:,} slots, 0 missing, 0 extra"
    )


def _compare(zone: str, offset: Minutes, first: date, days: int) -> None:
    start = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=2)
    for hour, minute in HALF_HOURS:
        wanted = expected(offset, start, first, days, hour, minute)
        ours = found(ZoneInfo(zone), first, days, hour, minute)
        missing, extra = np.setdiff1d(wanted, ours), np.setdiff1d(ours, wanted)
        where = f"{zone} at {hour:02}:{minute:02} from {first} on"
        assert not len(missing), f"{where}: {len(missing)} missing, first {EPOCH + int(missing[0]) * MINUTE}"
        assert not len(extra), f"{where}: {len(extra)} extra, first {EPOCH + int(extra[0]) * MINUTE}"
        assert len(ours) == len(wanted), f"{where}: a slot comes twice"


def main() -> None:
    """Compare, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=2020)
    parser.add_argument("--last", type=int, default=2037)
    parser.add_argument("--near", type=int, help="only days that are so near to a change of clocks")
    arguments = parser.parse_args()
    first, last = date(arguments.first, 1, 1), date(arguments.last, 12, 31)
    said = compare(available_timezones(), first, last, near=arguments.near, tell=True)
    sys.stdout.write(said + "\n")


if __name__ == "__main__":
    main()

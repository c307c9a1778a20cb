"""Slots: the moments that a job's schedule stands for.

A cron expression is meant in the plant's local time. A slot that falls into the hour which the clock
skips in spring comes as soon as the clock goes on; one in the hour that comes twice in autumn comes
the first time only. So a nightly job runs once on every day, on both days of the change too.
(Expressions whose minute or hour begins with ``*`` count real time: every 15 minutes stays so.)
An interval counts from 1970-01-01 UTC, so that its slots do not depend on when we were started.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from ingest.errors import ScheduleError
from ingest.plant import Job

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def slots(job: Job, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the slots of a job in (start, end], in UTC, in order.

    Raises
    ------
    ScheduleError
        If the job has no schedule, or one that cannot be read.

    Examples
    --------
    >>> nightly = Job(name="train", action="train", cron="30 2 * * *")
    >>> spring = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 30, 12, tzinfo=UTC)
    >>> [str(slot) for slot in slots(nightly, ZoneInfo("Europe/Berlin"), *spring)]
    ['2026-03-29 01:00:00+00:00', '2026-03-30 00:30:00+00:00']
    """
    return takewhile(lambda slot: slot <= end, _slots_after(job, zone, start))


def next_slot(job: Job, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Return the first slot later than ``after``, or ``None`` if there is none in the next 50 years."""
    return next(_slots_after(job, zone, after), None)


def latest_slot(job: Job, zone: ZoneInfo, start: datetime, end: datetime) -> datetime | None:
    """Return the last slot in (start, end], or ``None``; it looks back from the end, however long ago the start is."""
    reach = timedelta(minutes=1) if job.every is None else job.every
    while True:
        first = max(start, end - min(reach, end - start))
        newest = deque(slots(job, zone, first, end), maxlen=1)
        if newest or first == start:
            return newest[0] if newest else None
        reach *= 8


def _slots_after(job: Job, zone: ZoneInfo, start: datetime) -> Iterator[datetime]:
    if job.every is not None:
        return _steps(job.every, start)
    if job.cron is None:
        raise ScheduleError(f"job {job.name!r} has no schedule; give it 'cron' or 'every' in the plant file")
    try:
        moments = CronSim(job.cron, start.astimezone(zone))
    except CronSimError as error:
        raise ScheduleError(
            f"job {job.name!r}: {job.cron!r} is not a cron expression ({error}); write one such as '0 6 * * *'"
        ) from error
    return _rising((moment.astimezone(UTC) for moment in moments), start)


def _steps(every: timedelta, start: datetime) -> Iterator[datetime]:
    count = (start - _EPOCH) // every + 1
    while True:
        yield _EPOCH + count * every
        count += 1


def _rising(moments: Iterator[datetime], start: datetime) -> Iterator[datetime]:
    newest = start
    for moment in moments:
        if moment > newest:
            yield moment
            newest = moment


def unusable_schedules(jobs: Iterable[Job]) -> list[str]:
    """Return one line for each job whose schedule cannot be read.

    Examples
    --------
    >>> unusable_schedules([Job(name="look", action="score", cron="0 6 * * *")])
    []
    >>> len(unusable_schedules([Job(name="look", action="score", cron="99 * * * *")]))
    1
    """
    problems = []
    for job in jobs:
        try:
            next(_slots_after(job, ZoneInfo("UTC"), _EPOCH), None)
        except ScheduleError as error:
            problems.append(str(error))
    return problems

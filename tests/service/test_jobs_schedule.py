"""Slots of a schedule: in the plant's local time, through both days on which the clock changes."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import ScheduleError
from ingest.plant import Job
from service.jobs.schedule import latest_slot, next_slot, slots
from tests.trials.zones import compare

NIGHTLY = Job(name="train", action="train", cron="30 2 * * *")
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Havana",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Antarctica/Troll",
]


def local_days(job: Job, zone: ZoneInfo, day: date, count: int) -> list[date]:
    """Local dates of the slots from the midnight that begins ``day`` to the one ``count`` days later."""
    start = datetime.combine(day, time(), zone) - timedelta(microseconds=1)
    end = datetime.combine(day + timedelta(days=count), time(), zone) - timedelta(microseconds=1)
    return [slot.astimezone(zone).date() for slot in slots(job, zone, start.astimezone(UTC), end.astimezone(UTC))]


@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    day=st.dates(date(2000, 1, 1), date(2037, 12, 1)),
    at=st.times(),
)
def test_a_daily_job_has_exactly_one_slot_on_every_day_in_every_zone(zone: ZoneInfo, day: date, at: time) -> None:
    job = Job(name="j", action="score", cron=f"{at.minute} {at.hour} * * *")
    assert local_days(job, zone, day, 4) == [day + timedelta(days=n) for n in range(4)]


def test_a_nightly_job_runs_once_on_both_days_of_the_change() -> None:
    zone = ZoneInfo("Europe/Berlin")
    spring = list(slots(NIGHTLY, zone, datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC)))
    autumn = list(slots(NIGHTLY, zone, datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)))
    assert spring == [datetime(2026, 3, 29, 1, 0, tzinfo=UTC)], "03:00 summer time, as 02:30 does not exist"
    assert autumn == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)], "the first of the two 02:30"


def test_every_quarter_of_an_hour_stays_so_through_the_change() -> None:
    job = Job(name="j", action="score", cron="*/15 * * * *")
    zone = ZoneInfo("Europe/Berlin")
    found = list(slots(job, zone, datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 6, tzinfo=UTC)))
    assert len(found) == 8 * 4
    assert {after - before for before, after in pairwise(found)} == {timedelta(minutes=15)}


SCHEDULES = [
    {"cron": "30 2 * * *"},
    {"cron": "0 */2 * * *"},
    {"cron": "*/10 2 * * 0"},
    {"cron": "5 4 1 * *"},
    {"every": "90 min"},
    {"every": "7 h"},
]


@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    schedule=st.sampled_from(SCHEDULES),
    start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    lengths=st.lists(st.timedeltas(timedelta(0), timedelta(days=3)), min_size=2, max_size=2),
)
def test_looking_in_two_steps_gives_the_same_slots_as_in_one(
    zone: ZoneInfo, schedule: dict[str, str], start: datetime, lengths: list[timedelta]
) -> None:
    job = Job(name="j", action="score", **schedule)
    middle, end = start + lengths[0], start + sum(lengths, timedelta(0))
    whole = list(slots(job, zone, start, end))
    assert [*slots(job, zone, start, middle), *slots(job, zone, middle, end)] == whole
    assert all(start < slot <= end for slot in whole)
    assert whole == sorted(set(whole))
    assert latest_slot(job, zone, start, end) == (whole[-1] if whole else None)
    assert next_slot(job, zone, start) == (whole[0] if whole else next_slot(job, zone, end))


def test_an_interval_counts_from_1970_and_not_from_our_start() -> None:
    job = Job(name="j", action="score", every="7 h")
    found = list(slots(job, ZoneInfo("UTC"), datetime(1970, 1, 1, 6, 59, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC)))
    assert [slot.hour for slot in found] == [7, 14, 21]


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ({}, "job 'j' has no schedule; give it 'cron' or 'every'"),
        ({"cron": "61 * * * *"}, r"job 'j': '61 \* \* \* \*' is not a cron expression \(Bad minute\)"),
        ({"cron": "daily"}, "job 'j': 'daily' is not a cron expression"),
    ],
)
def test_a_schedule_that_cannot_be_read_is_explained(schedule: dict[str, str], message: str) -> None:
    job = Job(name="j", action="score", **schedule)
    with pytest.raises(ScheduleError, match=message):
        next_slot(job, ZoneInfo("UTC"), datetime(2026, 1, 1, tzinfo=UTC))


def test_daily_slots_are_those_of_an_oracle_that_knows_nothing_of_cron_around_each_change_of_clocks() -> None:
    """The short form; ``python -m tests.trials.zones`` looks at every zone and day of 2020 to 2037."""
    said = compare(["Europe/Berlin", "Australia/Lord_Howe"], date(2026, 1, 1), date(2026, 12, 31), near=1)
    assert said.endswith("576 slots, 0 missing, 0 extra")

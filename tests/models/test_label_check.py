"""Planted mistakes in records of failures are found, and clean records raise none (DQ-09)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.event import Event, EventKind
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.plant_failure import FailureCode
from ingest.reading import Readings
from models.labels.check import check_labels
from models.labels.problem import LabelKind, LabelProblem
from tests.features.table_history import TableHistory, after, readings_frame

PRESS = MachineClass(name="press", signals=[Signal(name="speed", every=timedelta(minutes=1))])
NAMES = tuple(f"m{number}" for number in range(12))
PLANT = Plant(
    time_zone="Europe/Berlin",
    classes=[PRESS],
    machines=[Machine(name=name, machine_class="press") for name in NAMES],
)
NOTE = "Replaced the main bearing and the seal of the spindle, tested for one hour."
YEAR = 365 * 86_400


class Spoken(TableHistory):
    """A history in which every machine was read at all times: what is asked of it holds a row."""

    def __init__(self, events: Iterable[Event]) -> None:
        super().__init__(readings_frame("m1", [0.0], speed=[150.0]), events)
        self.row = super().read("press")

    def read(self, machine_class: str, **_: Any) -> Readings:
        """Return one row, whatever was asked for."""
        return self.row


def event(
    machine: str, seconds: float, *, kind: EventKind = "failure", lasts: float | None = None, **text: str
) -> Event:
    end = None if lasts is None else after(seconds=round(seconds + lasts))
    return Event(machine=machine, kind=kind, time=after(seconds=round(seconds)), end=end, **text)


def clean(seed: int, *, machines: int = 12, grain: int = 60) -> list[Event]:
    """Failures of machines that wear, are repaired right after, and are maintained every four weeks."""
    random = np.random.default_rng(seed)
    found: list[Event] = []
    for name in NAMES[:machines]:
        time, mean = 0.0, random.uniform(10, 60) * 86_400
        while True:
            time += 43_200 + mean * random.weibull(2)
            if time > YEAR:
                break
            begin, mending = time // grain * grain, float(random.uniform(1800, 20_000) // grain * grain)
            code = str(random.choice(["leak", "wear"]))
            found.append(event(name, begin, lasts=mending, component="seal", code=code))
            found.append(event(name, begin + 900, kind="maintenance", lasts=mending - 900, component="seal"))
            time += mending
        found += [work for week in range(1, 14) if not _disturbed(work := _planned(name, 28 * week), found)]
    return found


def _planned(name: str, day: int) -> Event:
    return event(name, day * 86_400 + 6 * 3600, kind="maintenance", lasts=7200)


def _disturbed(work: Event, events: list[Event]) -> bool:
    """Whether a machine failed during planned work: one that stands still does not."""
    assert work.end is not None
    return any(each.machine == work.machine and work.time <= each.time < work.end for each in events)


def checked(
    events: Iterable[Event],
    readings: pd.DataFrame | None = None,
    machine_class: MachineClass = PRESS,
    codes: Iterable[str] = (),
) -> list[LabelProblem]:
    """Check events; without readings given, the machines were read at all times."""
    history = Spoken(events) if readings is None else TableHistory(readings, events)
    explained = [FailureCode(code=each, mode="OTH") for each in codes]
    return check_labels(PLANT.model_copy(update={"failure_codes": explained}), history, machine_class)


def kinds(problems: Iterable[LabelProblem]) -> list[tuple[LabelKind, int]]:
    return [(each.kind, each.count) for each in problems]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), machines=st.integers(1, 12), grain=st.sampled_from([1, 60]))
def test_clean_records_raise_nothing(seed: int, machines: int, grain: int) -> None:
    assert [each.sentence for each in checked(clean(seed, machines=machines, grain=grain))] == []


def test_a_code_that_the_plant_file_does_not_explain_is_found_where_it_explains_any() -> None:
    slip = event("m3", 100 * 86_400 + 77, component="seal", code="laek")
    unnamed = event("m4", 101 * 86_400 + 77, component="seal")

    (found,) = checked([*clean(8), slip, unnamed], codes=["leak", "wear"])

    assert (found.kind, found.count) == (LabelKind.UNKNOWN_CODE, 1)
    assert found.examples == ("m3 2026-04-15 02:01",)
    assert "'laek'" in found.sentence
    assert "did you mean 'leak'?" in found.sentence
    assert checked([*clean(8), slip, unnamed]) == []
    assert checked([*clean(8), slip, unnamed], codes=["leak", "wear", "laek"]) == []


def test_no_failures_at_all_raise_nothing() -> None:
    assert checked([event("m1", 5, kind="maintenance")]) == []


def test_a_failure_within_another_is_found() -> None:
    events = [*clean(1), event("m1", 200.5 * 86_400, lasts=90_000, code="leak"), event("m1", 201 * 86_400, code="wear")]

    (found,) = checked(events)

    assert (found.kind, found.count) == (LabelKind.OVERLAP, 1)
    assert found.examples == ("m1 2026-07-25 02:00",)
    assert "correct the end of the first" in found.sentence


def test_a_failure_that_was_entered_again_in_the_same_shift_is_found() -> None:
    events = clean(2)
    first = [each for each in events if each.kind == "failure"][7]
    again = replace(first, time=first.time + timedelta(hours=7), end=None)

    assert (LabelKind.REPEATED, 1) in kinds(checked([*events, again]))


def test_machines_that_fail_several_times_a_shift_have_no_repetitions() -> None:
    random = np.random.default_rng(3)
    times = np.cumsum(random.weibull(2, 200) * 3 * 3600 + 60)

    assert checked([event("m1", time) for time in times]) == []


@pytest.mark.parametrize(
    ("entered", "says"),
    [
        (lambda time: time.normalize(), "stand at 00:00, as when only a date is entered"),
        (lambda time: time.normalize() + pd.Timedelta(hours=14), "stand at 14:00, as when they are entered later"),
        (lambda time: time.floor("h"), "stand at a full hour, as when rounded"),
        (
            lambda time: time.normalize() + pd.Timedelta(hours=13, minutes=45 + time.minute % 15),
            "stand between 13:45 and 14:00, as when they are entered later",
        ),
    ],
)
def test_failures_that_are_entered_late_are_found_by_the_clock(entered: Any, says: str) -> None:
    def moved(each: Event) -> Event:
        local = pd.Timestamp(each.time).tz_convert("Europe/Berlin")
        return replace(each, time=entered(local).tz_convert("UTC").to_pydatetime(), end=None)

    failures = [each for each in clean(4) if each.kind == "failure"]
    # Half of them by the clock of a form, the others as they came.
    events = [moved(each) if place % 4 else replace(each, end=None) for place, each in enumerate(failures)]

    found = [each for each in checked(events) if each.kind is LabelKind.ENTERED_LATE]

    assert [each.what for each in found] == [says]
    assert found[0].count >= len(failures) // 2
    assert "enter when the machine stopped" in found[0].sentence


def test_full_hours_are_no_finding_where_readings_come_every_hour() -> None:
    hours = np.arange(0, 24 * 400) * 60.0
    readings = pd.concat([readings_frame(name, hours, speed=np.ones(len(hours))) for name in NAMES])
    slow = PRESS.model_copy(update={"signals": [Signal(name="speed", every=timedelta(hours=1))]})

    assert (
        checked([replace(each, end=None) for each in clean(5, grain=3600) if each.kind == "failure"], readings, slow)
        == []
    )


@pytest.mark.parametrize("shift", [0, 86_400 * 3 + 7200])
@pytest.mark.parametrize("grain", [1, 60, 3600])
def test_a_series_that_was_copied_to_another_machine_is_found(shift: int, grain: int) -> None:
    events = [each for each in clean(6, grain=grain, machines=6) if each.kind == "failure"]
    series = [each for each in events if each.machine == "m2"][:8]
    copies = [replace(each, machine="m9", time=each.time + timedelta(seconds=shift), end=None) for each in series]

    (found,) = [each for each in checked([*events, *copies]) if each.kind is LabelKind.COPIED]

    assert found.count == 2 * len(series)
    assert "two machines with the same times or the same gaps" in found.sentence


def test_failures_of_one_clock_time_and_weekday_agree_by_chance_and_are_no_copies() -> None:
    random = np.random.default_rng(11)
    events = [
        event(name, day * 86_400 + 5 * 3600)
        for name in NAMES
        for day in np.cumsum(random.integers(1, 5, 20) * 7)
        if day < 390
    ]

    assert LabelKind.COPIED not in {each.kind for each in checked(events)}


def test_a_long_note_that_stands_on_several_machines_is_found_and_a_short_one_is_not() -> None:
    events = [replace(each, note="bearing") for each in clean(7) if each.kind == "failure"]
    pasted = [replace(each, note=NOTE) if place in (3, 20, 40) else each for place, each in enumerate(events)]

    assert kinds(checked(events)) == []
    assert kinds(checked(pasted)) == [(LabelKind.COPIED, 3)]


@pytest.mark.parametrize("code", ["planned maintenance", "PM-4", "Wartung", "scheduled_service"])
def test_planned_work_that_is_called_a_failure_is_found_by_its_name(code: str) -> None:
    assert kinds(checked([*clean(8), event("m3", 100 * 86_400 + 77, code=code)])) == [(LabelKind.PLANNED, 1)]


@pytest.mark.parametrize("code", ["unplanned stop", "not planned", "ungeplant", "servo", "spm"])
def test_a_name_that_only_looks_like_planned_work_is_none(code: str) -> None:
    assert checked([*clean(8), event("m3", 100 * 86_400 + 77, code=code)]) == []


def test_planned_work_that_is_called_a_failure_is_found_by_the_maintenance_around_it() -> None:
    work = event("m3", 100 * 86_400, kind="maintenance", lasts=4 * 3600)

    assert kinds(checked([*clean(9, machines=2), work, event("m3", 100 * 86_400 + 3601)])) == [(LabelKind.PLANNED, 1)]


def test_a_failure_that_its_repair_follows_is_no_planned_work() -> None:
    failure = event("m3", 100 * 86_400, code="leak")
    repair = event("m3", 100 * 86_400 + 1800, kind="maintenance", lasts=6 * 3600)
    other = event("m3", 100 * 86_400 + 9000, code="wear")

    assert checked([failure, repair, other]) == []


def test_planned_work_that_is_called_a_failure_is_found_by_its_rhythm() -> None:
    random = np.random.default_rng(10)
    rhythm = [
        event(name, (3 + start + 28 * turn) * 86_400 + random.uniform(0, 40_000), code="lamp")
        for start, name in enumerate(NAMES[9:])
        for turn in range(1, 8)
    ]

    found = checked([*clean(10, machines=9), *rhythm])

    assert kinds(found) == [(LabelKind.PLANNED, 21)]
    assert "steady gaps" in found[0].sentence


def test_a_failure_without_readings_before_it_is_found() -> None:
    minutes = np.arange(0, 60 * 24 * 10, 10.0)
    readings = readings_frame("m1", minutes, speed=np.full(len(minutes), 150.0))
    events = [event("m1", 3 * 86_400 + 12), event("m1", 30 * 86_400 + 5), event("m2", 5 * 86_400 + 99)]

    (found,) = checked(events, readings)

    assert (found.kind, found.count, found.of) == (LabelKind.NO_READINGS, 2, 3)
    assert found.examples == ("m1 2026-02-04 01:00", "m2 2026-01-10 01:01")


def test_a_failure_right_through_which_the_machine_ran_is_found_where_it_is_known_when_it_runs() -> None:
    minutes = np.arange(0.0, 60 * 24 * 10)
    stops = (minutes >= 3 * 1440) & (minutes < 3 * 1440 + 90)
    silent = (minutes >= 6 * 1440) & (minutes < 6 * 1440 + 60)
    frame = readings_frame("m1", minutes, speed=np.where(stops, 0.0, 150.0))[~silent]
    failures = [event("m1", day * 86_400) for day in (3, 5, 6)]
    runs = PRESS.model_copy(update={"running": "speed > 100"})

    (found,) = checked(failures, frame, runs)

    assert (found.kind, found.count, found.examples) == (LabelKind.RAN_ON, 1, ("m1 2026-01-10 01:00",))
    assert checked(failures, frame) == []

"""What rests on one signal alone raises no alert about the machine, is said at once, and is judged as it is said."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.plant import AlertSettings
from models.assessment import Assessments, Reason
from models.moment import as_datetime, instant
from models.subject import Subject, about_either, about_machine, about_sensor, alerts_of
from service.watch import Watch, turned

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
NEVER = np.empty(0, dtype="datetime64[us]")
SETTINGS = AlertSettings(on_delay=(2, 3), off_delay=2)

QUIET, BAND, UNSAID, JOINT, ALONE, DOUBTED = "quiet", "band", "unsaid", "joint", "alone", "doubted"
LEVEL = {QUIET: 0.1, BAND: 0.45, UNSAID: np.nan, JOINT: 0.9, ALONE: 0.9, DOUBTED: 0.9}
REASON = {DOUBTED: Reason.ONE_SIGNAL.value, UNSAID: Reason.NO_DATA.value}
SIGNAL = {ALONE: "flow", DOUBTED: "flow"}


def told(*rows: str) -> Assessments:
    """Return what is said of a pump hour by hour."""
    time = instant(BEGIN) + np.arange(len(rows)) * np.timedelta64(3_600_000_000, "us")
    return Assessments(
        model="risk",
        version="1",
        machine=np.full(len(rows), "pump", dtype=object),
        time=time,
        level=np.array([LEVEL[each] for each in rows]),
        reason=np.array([REASON.get(each, Reason.OK.value) for each in rows], dtype=object),
        threshold=0.5,
        alone=np.array([SIGNAL.get(each, "") for each in rows], dtype=object),
    )


def hours(*rows: str, settings: AlertSettings = SETTINGS) -> list[int]:
    """Return after how many hours each alert that foretells a failure begins."""
    return [round((as_datetime(each.begin) - BEGIN) / HOUR) for each in alerts_of(told(*rows), settings)]


def lived(own: Assessments, settings: AlertSettings, size: int) -> dict[Subject, list[datetime]]:
    """Return when conditions about each subject begin for one who is told so many rows at a time."""
    before: dict[Subject, Watch | None] = dict.fromkeys(Subject)
    begun: dict[Subject, list[datetime]] = {each: [] for each in Subject}
    for first in range(0, len(own), size):
        rows = own.where(np.arange(first, min(first + size, len(own))))
        of_machine = turned(before[Subject.MACHINE], about_machine(rows), NEVER, settings)
        turns = {
            Subject.MACHINE: of_machine,
            Subject.EITHER: turned(before[Subject.EITHER], about_either(rows, of_machine.lasts), NEVER, settings),
            Subject.SENSOR: turned(before[Subject.SENSOR], about_sensor(rows), NEVER, settings),
        }
        for subject, turn in turns.items():
            if (begin := turn.watch.begin) is not None and begin not in begun[subject]:
                begun[subject].append(begin)
            before[subject] = turn.watch
    return begun


def test_one_signal_alone_is_said_at_once_and_a_second_one_makes_it_the_machine() -> None:
    assert hours(QUIET, ALONE, ALONE, ALONE, JOINT, JOINT, ALONE, QUIET) == [2, 5]
    begun = lived(told(QUIET, ALONE, ALONE, ALONE, JOINT, JOINT, ALONE, QUIET), SETTINGS, 1)
    assert begun == {
        Subject.MACHINE: [BEGIN + 5 * HOUR],
        Subject.EITHER: [BEGIN + 2 * HOUR],
        Subject.SENSOR: [],
    }


@pytest.mark.parametrize("after", [JOINT, DOUBTED, BAND, QUIET])
def test_what_is_explained_of_the_sensor_or_the_machine_is_where_one_signal_departs(after: str) -> None:
    own = told(ALONE, ALONE, after)
    of_machine = turned(None, about_machine(own), NEVER, SETTINGS)
    turn = turned(None, about_either(own, of_machine.lasts), NEVER, SETTINGS)

    assert turn.watch.condition.active
    assert turn.newest_over == 1


def test_an_alert_about_the_machine_goes_on_while_one_signal_holds_it_up() -> None:
    assert hours(JOINT, JOINT, *[ALONE] * 9, JOINT) == [1]
    assert hours(JOINT, JOINT, QUIET, QUIET, ALONE, ALONE, ALONE) == [1, 5]


def test_the_dead_band_holds_up_what_one_signal_says_as_well() -> None:
    banded = AlertSettings(on_delay=(2, 3), off_delay=2, dead_band=0.2)
    rows = [ALONE, ALONE, BAND, BAND, BAND, ALONE, BAND, BAND, ALONE, ALONE]

    assert hours(*rows, settings=banded) == [1]
    assert hours(*rows) == [1, 9]


def test_what_no_failure_looked_like_foretells_none() -> None:
    assert hours(*[DOUBTED] * 6) == []
    assert lived(told(*[DOUBTED] * 3), SETTINGS, 1)[Subject.SENSOR] == [BEGIN + HOUR]


def test_where_nobody_asked_everything_is_the_machine() -> None:
    own = told(JOINT, ALONE, ALONE, QUIET)
    unasked = Assessments(own.model, own.version, own.machine, own.time, own.level, own.reason, own.threshold)

    assert [as_datetime(each.begin) for each in alerts_of(unasked, SETTINGS)] == [BEGIN + HOUR]
    nothing = about_either(unasked, np.zeros(4, dtype=np.bool_)), about_sensor(unasked)
    assert [each.over.any() for each in nothing] == [False, False]


@given(
    rows=st.lists(st.sampled_from([QUIET, BAND, UNSAID, JOINT, ALONE, DOUBTED]), max_size=40),
    needed=st.integers(1, 3),
    of=st.integers(3, 5),
    off=st.integers(1, 4),
    keep=st.integers(0, 5),
    band=st.sampled_from([0.0, 0.2]),
)
def test_a_backtest_tells_of_the_alerts_that_rounds_raise(
    rows: list[str], needed: int, of: int, off: int, keep: int, band: float
) -> None:
    settings = AlertSettings(on_delay=(needed, of), off_delay=off, keep_firing=keep * HOUR, dead_band=band)
    own = told(*rows)
    begun = lived(own, settings, 1)

    found = [as_datetime(each.begin) for each in alerts_of(own, settings)]
    assert found == sorted([*begun[Subject.MACHINE], *begun[Subject.EITHER]])


@pytest.mark.parametrize("size", [2, 7])
def test_rounds_of_any_size_leave_the_same_conditions(size: int) -> None:
    random = np.random.default_rng(4)
    own = told(*random.choice([QUIET, JOINT, ALONE, DOUBTED], size=70, p=[0.5, 0.2, 0.2, 0.1]))

    def last(many: int) -> Assessments:
        return own.where(np.arange(many))

    for many in range(size, 70, size):
        by_one, at_once = lived(last(many), SETTINGS, 1), lived(last(many), SETTINGS, size)
        for subject in Subject:
            assert set(at_once[subject]) <= set(by_one[subject])

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ingest.event import Event, EventKind, events_table
from ingest.plant import AlertSettings, Target
from models.assessment import Assessments
from models.judging.evaluate import AlertVerdict, AssessedTime, EventVerdict, Verdict, judge, pooled
from models.judging.ground import Ground, Rules
from models.judging.modes import modes
from models.judging.real_rate import precision_at
from models.labels.label import target_events
from models.persistence import Episode, episodes

HOUR = np.timedelta64(1, "h")
ZERO = np.datetime64("2026-01-01", "us")
DAY = timedelta(hours=24)


hours = st.lists(st.integers(0, 399), max_size=8, unique=True).map(sorted)
places = st.lists(st.tuples(st.integers(0, 380), st.integers(0, 30)).map(lambda each: (each[0], sum(each))), max_size=4)


def alert(hour: int, machine: str = "m1") -> Episode:
    return Episode(machine, ZERO + hour * HOUR, None, 0)


def targets_at(*places: tuple[int, int], machine: str = "m1", kind: EventKind = "failure") -> pd.DataFrame:
    zero = datetime(2026, 1, 1, tzinfo=UTC)
    events = [
        Event(machine=machine, kind=kind, time=zero + timedelta(hours=begin), end=zero + timedelta(hours=end))
        for begin, end in places
    ]
    return target_events(events_table(events), Target(kind=kind))


def watched(hours: range = range(400), known: int | None = None) -> AssessedTime:
    time = ZERO + np.array(hours) * HOUR
    machine = np.full(len(time), "m1", dtype=object)
    return AssessedTime(machine, time, timedelta(hours=1), None if known is None else ZERO + known * HOUR)


def judged(
    alerts: list[int],
    *places: tuple[int, int],
    lead: int = 4,
    seen: AssessedTime | None = None,
    kind: EventKind = "failure",
) -> Verdict:
    return judge(
        [alert(hour) for hour in alerts],
        targets_at(*places, kind=kind),
        horizon=DAY,
        needed_lead=timedelta(hours=lead),
        assessed=seen or watched(),
    )


@pytest.mark.parametrize(
    ("hour", "verdict", "event"),
    [
        (75, AlertVerdict.FALSE, EventVerdict.MISSED),
        (76, AlertVerdict.RIGHT, EventVerdict.FOUND),
        (96, AlertVerdict.RIGHT, EventVerdict.FOUND),
        (97, AlertVerdict.LATE, EventVerdict.LATE),
        (100, AlertVerdict.LATE, EventVerdict.LATE),
        (101, AlertVerdict.FALSE, EventVerdict.MISSED),
    ],
)
def test_an_alert_is_right_from_the_horizon_to_the_needed_lead(
    hour: int, verdict: AlertVerdict, event: EventVerdict
) -> None:
    result = judged([hour], (100, 100))

    assert result.alerts[0].verdict == verdict
    assert result.events[0].verdict == event


def test_an_alert_on_another_machine_is_false() -> None:
    result = judge([alert(90, "m2")], targets_at((100, 100)), horizon=DAY, needed_lead=DAY / 8, assessed=watched())

    assert (result.found, result.false) == (0, 1)


def test_several_right_alerts_count_once_and_the_earliest_gives_the_lead() -> None:
    result = judged([80, 85, 90], (100, 100))

    assert (result.found, result.right, result.right_once, result.false) == (1, 3, 1, 0)
    assert result.precision.value == 1.0
    assert result.lead_hours == (20.0, 20.0)


def test_a_breakdown_cannot_be_found_once_it_is_there() -> None:
    result = judged([104], (100, 120))

    assert (result.found, result.missed, result.false) == (0, 1, 0)
    assert result.lead_hours == (None, None)


def test_a_state_that_lasts_may_be_found_after_its_onset_and_the_lead_says_so() -> None:
    result = judged([104], (100, 120), kind="state")

    assert result.found == 1
    assert result.lead_hours == (-4.0, -4.0)
    assert result.early_enough == 0


def test_late_alerts_are_missed_events_and_no_false_alarms() -> None:
    result = judged([98, 190], (100, 100), (200, 200))

    assert (result.found, result.missed, result.false) == (1, 1, 0)
    assert result.early_enough == 0.5


def test_an_event_whose_machine_was_not_looked_at_is_listed_and_not_judged() -> None:
    result = judged([], (100, 100), (300, 300), seen=watched(range(200)))

    assert (result.judged, result.missed) == (1, 1)
    assert [event.verdict for event in result.events] == [EventVerdict.MISSED, EventVerdict.NOT_JUDGED]


def test_an_alert_whose_horizon_is_not_over_is_neither_right_nor_false() -> None:
    result = judged([350, 390], seen=watched(known=400))

    assert [each.verdict for each in result.alerts] == [AlertVerdict.FALSE, AlertVerdict.OPEN]
    assert result.machine_weeks == pytest.approx(377 / 168)


def test_an_alert_that_was_followed_by_an_event_is_judged_no_sooner_than_one_that_was_not() -> None:
    result = judged([76, 380], (100, 100), (395, 395), seen=watched(known=400))

    assert [each.verdict for each in result.alerts] == [AlertVerdict.RIGHT, AlertVerdict.OPEN]
    assert (result.right, result.found, result.judged) == (1, 2, 2)


@settings(deadline=None, max_examples=40)
@given(alerts=hours, happened=places, otherwise=places, known=st.integers(0, 400))
def test_what_happened_does_not_decide_which_alerts_are_judged(
    alerts: list[int], happened: list[tuple[int, int]], otherwise: list[tuple[int, int]], known: int
) -> None:
    def open_alerts(events: list[tuple[int, int]]) -> list[bool]:
        verdict = judged(alerts, *events, seen=watched(known=known))
        return [each.verdict == AlertVerdict.OPEN for each in verdict.alerts]

    assert open_alerts(happened) == open_alerts(otherwise) == [hour + 24 > known for hour in alerts]


def test_false_alarms_are_counted_per_machine_week_of_assessed_time() -> None:
    result = judged([10, 200], seen=watched(range(336)))

    assert result.false_alarms_per_machine_week.value == 1.0


def test_parts_are_pooled() -> None:
    whole = pooled([judged([90], (100, 100)), judged([10], (100, 100))])

    assert (whole.found, whole.judged, whole.false) == (1, 2, 1)


@settings(deadline=None, max_examples=40)
@given(alerts=hours, events=places, false=st.integers(0, 399))
def test_one_more_false_alarm_never_raises_precision_nor_recall(
    alerts: list[int], events: list[tuple[int, int]], false: int
) -> None:
    before, after = judged(alerts, *events), judged(sorted([*alerts, false]), *events)
    assume(after.false > before.false)

    assert after.precision.value is not None
    assert after.precision.value <= (1.0 if before.precision.value is None else before.precision.value)
    assert after.precision.value < 1
    assert after.recall == before.recall


@settings(deadline=None)
@given(alerts=hours, events=places)
def test_every_alert_and_every_event_has_one_verdict(alerts: list[int], events: list[tuple[int, int]]) -> None:
    result = judged(alerts, *events)

    assert len(result.alerts) == len(alerts)
    assert result.found + result.missed + result.events_that_are(EventVerdict.NOT_JUDGED) == len(result.events)
    assert result.right_once <= result.right


@settings(deadline=None)
@given(
    level=st.lists(st.sampled_from([0.0, 0.0, 0.9, float("nan")]), min_size=1, max_size=200),
    events=places,
    lead=st.integers(0, 20),
    known=st.integers(0, 250),
)
def test_the_quick_count_for_thresholds_says_what_judge_says(
    level: list[float], events: list[tuple[int, int]], lead: int, known: int
) -> None:
    time = ZERO + np.arange(len(level)) * HOUR
    machine = np.full(len(level), "m1", dtype=object)
    levels, ok = np.array(level), np.full(len(level), "ok", dtype=object)
    assessments = Assessments("model", "1", machine, time, levels, ok, 0.5)
    targets, until = targets_at(*events), datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=known)
    rules = Rules(alerts=AlertSettings(), horizon=DAY, needed_lead=timedelta(hours=lead), known_until=until)
    verdict = judge(
        episodes(assessments, rules.alerts, targets),
        targets,
        horizon=DAY,
        needed_lead=rules.needed_lead,
        assessed=AssessedTime.of(assessments, timedelta(hours=1), ZERO + known * HOUR),
    )
    valued = ~np.isnan(levels)
    tally = Ground.of(machine[valued], time[valued], targets, targets, rules).tally(levels[valued], 0.5)

    counted = (int(tally.found.sum()), int(tally.missed.sum()), int(tally.false.sum()))
    assert counted == (verdict.found, verdict.missed, verdict.false)


def test_a_late_alert_about_an_event_that_cannot_be_judged_is_no_false_alarm_in_either_count() -> None:
    time = ZERO + np.arange(101, 130) * HOUR
    machine = np.full(len(time), "m1", dtype=object)
    targets, rules = targets_at((100, 120)), Rules(alerts=AlertSettings(), horizon=DAY, needed_lead=timedelta(hours=20))
    over = np.arange(len(time)) < 3
    assessed = AssessedTime(machine, time, timedelta(hours=1))

    verdict = judge([alert(102)], targets, horizon=DAY, needed_lead=rules.needed_lead, assessed=assessed)
    ground = Ground.of(machine, time, targets, None, rules)

    assert (verdict.judged, verdict.false) == (0, 0)
    assert (ground.events, int(ground.tally(over.astype(float), 0.5).false.sum())) == (0, 0)


def test_each_failure_mode_may_need_a_lead_of_its_own() -> None:
    zero = datetime(2026, 1, 1, tzinfo=UTC)
    events = [
        Event(machine="m1", kind="failure", time=zero + timedelta(hours=hour), component=component)
        for hour, component in ((100, "bearing"), (200, "seal"))
    ]
    verdict = judge(
        [alert(90), alert(190)],
        target_events(events_table(events), Target()),
        horizon=DAY,
        needed_lead=timedelta(hours=4),
        needed_leads={"bearing": timedelta(hours=12)},
        assessed=watched(),
    )

    assert [(each.mode, each.verdict, each.needed_hours) for each in verdict.events] == [
        ("bearing", EventVerdict.LATE, 12.0),
        ("seal", EventVerdict.FOUND, 4.0),
    ]
    assert [(each.mode, each.found, each.late) for each in modes(verdict)] == [("bearing", 0, 1), ("seal", 1, 0)]


def test_a_threshold_is_tried_by_the_same_leads() -> None:
    zero = datetime(2026, 1, 1, tzinfo=UTC)
    failed = [Event(machine="m1", kind="failure", time=zero + timedelta(hours=100), component="bearing")]
    targets, seen = target_events(events_table(failed), Target()), watched()
    over = np.zeros(len(seen.time), dtype=bool)
    over[90:95] = True

    found = [
        int(
            Ground.of(
                seen.machine,
                seen.time,
                targets,
                None,
                Rules(
                    alerts=AlertSettings(on_delay=(1, 1)),
                    horizon=DAY,
                    needed_lead=timedelta(0),
                    needed_leads={"bearing": timedelta(hours=lead)},
                ),
            )
            .tally(over.astype(float), 0.5)
            .found.sum()
        )
        for lead in (10, 11)
    ]

    assert found == [1, 0]


def test_leads_have_intervals() -> None:
    median, tenth = judged([80, 190, 285], (100, 100), (200, 200), (300, 300)).lead_intervals

    assert (median.value, median.low, median.high) == (15.0, 10.0, 20.0)
    assert tenth.value == 11.0


@pytest.mark.parametrize(("events", "precision"), [(52.18, 0.5), (5.218, 1 / 11)])
def test_precision_falls_with_the_rate_at_which_events_really_come(events: float, precision: float) -> None:
    result = judged([100, 250], (120, 120))  # one of one found, one false alarm in about two machine-weeks
    weeks = result.machine_weeks

    assert precision_at(result, events / weeks).value == pytest.approx(precision, rel=1e-3)


def test_precision_is_not_known_where_nothing_was_judged() -> None:
    assert precision_at(judged([]), 1.0).value is None

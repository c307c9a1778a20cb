from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.extract import extract
from ingest.errors import NotEnoughDataError
from ingest.event import Event, events_table
from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal
from models.believed import believed
from models.bundle import Bundle
from models.fit import fit_bundle
from models.judging.backtest import backtest, fitted_at, recipe_until
from models.judging.backtest_report import BacktestReport
from models.judging.evaluate import AlertVerdict, EventVerdict, JudgedAlert
from models.labels.label import target_events
from models.registry import archive
from models.registry.signing import Keys
from tests.features.table_history import TableHistory, after, readings_frame

MACHINES = tuple(f"pump-{number}" for number in range(6))
HOURS = 24 * 24
FAILURES = {
    machine: (80 + 17 * number, 250 + 17 * number, 420 + 17 * number) for number, machine in enumerate(MACHINES)
}
WAYS = ["model", "do_nothing", "calendar", "fixed_limit", "three_sigma", "signal_limits"]
KEYS = [
    "model", "events", "found", "recall", "lead_hours", "early_enough", "false_alarms_per_machine_week",
    "precision", "money", "machine_weeks", "seconds",
]  # fmt: skip


def history_of(*, until: int = HOURS, failures: bool = True, later: float = 0.0) -> TableHistory:
    """Pumps whose vibration rises in the last 20 hours of each life; ``later`` is added after hour 345."""
    frames = []
    for number, machine in enumerate(MACHINES):
        hours = np.arange(until)
        vibration = 1 + 0.1 * np.random.default_rng(number).standard_normal(HOURS)[:until]
        for failure in FAILURES[machine]:
            ahead = failure - hours
            vibration += np.where((ahead > 0) & (ahead <= 20), 1.0 + (20 - ahead) / 10, 0)
        frames.append(readings_frame(machine, hours * 60.0, vibration=vibration + np.where(hours > 345, later, 0)))
    events = [
        Event(machine=machine, kind="failure", time=after(hours=hour), component="seal")
        for machine, hours in FAILURES.items()
        for hour in hours
        if failures and hour < until
    ]
    return TableHistory(pd.concat(frames), events)


def entry_of(**fields: object) -> ModelEntry:
    return ModelEntry.model_validate(
        {
            "name": "seal risk", "task": "failure_risk", "class": "pump", "horizon": "24 h", "needed_lead": "2 h",
            "windows": ["4 h"], "stride": "2 h", **fields,
        }
    )  # fmt: skip


PLANT = Plant(
    classes=[
        MachineClass(name="pump", components=["seal"], signals=[Signal(name="vibration", every=timedelta(hours=1))])
    ],
    machines=[Machine(name=name, machine_class="pump") for name in MACHINES],
)


def replay(history: TableHistory, entry: ModelEntry, start: datetime | None = None) -> BacktestReport:
    return backtest(PLANT, history, entry, start=start, timer=iter([1.0, 3.5]).__next__)


@pytest.fixture(scope="module")
def by_time() -> BacktestReport:
    return replay(history_of(), entry_of())


def test_failures_that_announce_themselves_are_found_in_time(by_time: BacktestReport) -> None:
    assert by_time.verdict.judged == 6
    assert by_time.verdict.found >= 5
    assert by_time.money.model < by_time.money.do_nothing
    assert 0 < (by_time.base_rate or 0) < 0.2


def test_the_base_rate_is_taken_where_the_whole_horizon_was_observed() -> None:
    until = 506  # the newest failure, at 505, lies in nobody's whole horizon but that of a row at 481
    report = replay(history_of(until=until), entry_of(), start=after(hours=345))
    rows = [(machine, hour) for machine in MACHINES for hour in range(346, until - 24, 2)]
    before = [any(hour < failure <= hour + 24 for failure in FAILURES[machine]) for machine, hour in rows]

    assert report.base_rate == pytest.approx(np.mean(before), rel=0.03)


def test_the_report_begins_with_the_promised_keys_and_is_json(by_time: BacktestReport) -> None:
    report = by_time.to_dict()

    assert list(report)[: len(KEYS)] == KEYS
    assert report["seconds"] == 2.5
    assert list(report["money"]) == WAYS
    assert list(report["recall"]) == ["value", "low", "high"]
    assert len(report["alerts"]) == len(by_time.verdict.alerts)


def test_the_summary_says_alerts_events_and_money(by_time: BacktestReport) -> None:
    said = by_time.summary()

    assert said.startswith(f"seal risk would have raised {len(by_time.verdict.alerts)} alert")
    assert f"found {by_time.verdict.found} of 6 events" in said
    assert "EUR against doing nothing" in said


def test_right_alerts_are_one_count_in_the_list_in_the_figures_and_in_the_sentence(by_time: BacktestReport) -> None:
    begin, event = np.datetime64("2026-02-01"), np.datetime64("2026-02-02")
    twice = tuple(JudgedAlert("pump-0", begin + hour, None, AlertVerdict.RIGHT, event) for hour in range(2))
    report = replace(by_time, verdict=replace(by_time.verdict, alerts=twice))
    figures = report.to_dict()

    assert figures["right_alerts"] == sum(each["verdict"] == "right" for each in figures["alerts"]) == 2
    assert ": 2 right, 0 false" in report.summary()


def test_what_comes_after_the_start_changes_neither_threshold_nor_baselines(by_time: BacktestReport) -> None:
    changed = replay(history_of(later=7.0), entry_of())

    assert changed.start == by_time.start
    assert changed.thresholds == by_time.thresholds
    assert {name: way.rules for name, way in changed.ways.items()} == {
        name: way.rules for name, way in by_time.ways.items()
    }


@pytest.mark.slow
def test_by_machine_every_event_is_judged_once_by_a_model_that_has_not_seen_it() -> None:
    report = replay(history_of(), entry_of(split="machine"))

    assert len(report.thresholds) == 5
    assert len(report.verdict.events) == 18
    assert report.verdict.found >= 14


def test_a_replay_day_by_day_says_what_one_replay_says() -> None:
    history, entry, start = history_of(), entry_of(), after(hours=345)
    recipe = recipe_until(PLANT, history, entry, start)
    table = extract(recipe, history, MACHINES, after(hours=-1), start)
    bundle = fit_bundle(entry, PLANT, recipe, table, history.events(end=start), start)
    whole = believed(PLANT, history, bundle, MACHINES, start, after(hours=HOURS))
    days = []
    for hour in range(345, HOURS, 24):
        end = min(hour + 24, HOURS)
        # Each day sees no more than what was there at its end.
        days.append(
            believed(
                PLANT, history_of(until=min(end + 1, HOURS)), bundle, MACHINES, after(hours=hour), after(hours=end)
            )
        )

    pieces = pd.concat(pd.DataFrame({"m": day.machine, "t": day.time, "l": day.level, "r": day.reason}) for day in days)
    pieces = pieces.sort_values(["m", "t"], ignore_index=True)
    expected = pd.DataFrame({"m": whole.machine, "t": whole.time, "l": whole.level, "r": whole.reason})
    pd.testing.assert_frame_equal(pieces, expected, check_exact=True)


def test_no_failure_before_the_start_offers_the_model_that_needs_none() -> None:
    with pytest.raises(NotEnoughDataError, match='task = "anomaly"'):
        replay(history_of(failures=False), entry_of())


def test_a_model_that_needs_no_failures_is_judged_by_them_all_the_same() -> None:
    report = replay(history_of(), entry_of(task="anomaly", name="strange"))

    assert report.verdict.judged == 6


def test_the_time_that_is_a_machines_own_normal_is_not_judged() -> None:
    entry = entry_of(task="anomaly", split="machine", baseline="200 h")
    report = replay(history_of(), entry)

    assert all(alert.begin > np.datetime64(after(hours=200).replace(tzinfo=None)) for alert in report.verdict.alerts)
    first = [target for target in report.verdict.events if target.verdict != EventVerdict.NOT_JUDGED]
    assert len(first) == 12


def test_a_start_outside_the_readings_is_refused_with_the_span_that_there_is() -> None:
    with pytest.raises(NotEnoughDataError, match="readings reach from 2026-01-05 00:00"):
        replay(history_of(), entry_of(), start=after(days=400))


def test_a_class_without_readings_says_so() -> None:
    with pytest.raises(NotEnoughDataError, match="no readings of class 'pump'"):
        replay(TableHistory(readings_frame("stranger", [0.0, 60.0], vibration=[1.0, 1.0])), entry_of())


def test_the_targets_of_the_small_plant_are_what_the_tests_think() -> None:
    assert len(target_events(history_of().events(), entry_of().target)) == 18


@cache
def content_judged(task: str) -> str:
    """Return the content of the model that a backtest judges."""
    return _content(fitted_at(PLANT, history_of(), entry_of(task=task), after(hours=345)))


@pytest.mark.slow(seconds=5)
@pytest.mark.parametrize("task", ["failure_risk", "anomaly"])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=2, deadline=None)
def test_nothing_of_the_judged_span_changes_the_model_that_is_judged(task: str, seed: int) -> None:
    start, random = after(hours=345), np.random.default_rng(seed)
    other = history_of()
    later = other.readings["time"] > pd.Timestamp(start)
    other.readings.loc[later, "vibration"] = random.normal(3, 2, int(later.sum()))
    before = other.known_events[other.known_events["time"] <= pd.Timestamp(start)]
    failed = [
        Event(machine=machine, kind="failure", time=after(hours=float(random.integers(346, HOURS))), component="seal")
        for machine in MACHINES
    ]
    other.known_events = pd.concat([before, events_table(failed)], ignore_index=True)

    assert _content(fitted_at(PLANT, other, entry_of(task=task), start)) == content_judged(task)


def _content(bundle: Bundle) -> str:
    with TemporaryDirectory() as folder:
        return archive.write(bundle, Path(folder), Keys.beside(Path(folder) / "models"), created=after())


def test_an_alert_between_two_looks_is_seen_by_nobody_and_told() -> None:
    history, start = history_of(), after(hours=345)
    often = backtest(PLANT, history, entry_of(), start=start)
    never = backtest(PLANT, history, entry_of(), start=start, rounds=[start])

    assert often.unshown == 0
    assert never.unshown == len(often.verdict.alerts) > 0
    assert (never.verdict.found, never.verdict.false) == (0, 0)
    assert never.to_dict()["unshown_alerts"] == never.unshown


def test_the_report_says_why_each_event_was_missed_and_draws_each_one(by_time: BacktestReport) -> None:
    report = by_time.to_dict()

    assert len(report["missed"]) == by_time.verdict.missed
    assert len(by_time.traces) == by_time.verdict.judged
    assert by_time.curve is not None
    chosen = by_time.curve.threshold.tolist().index(by_time.thresholds[0])
    assert by_time.curve.cost[chosen] == by_time.money.model
    assert by_time.curve.found[chosen] == by_time.verdict.found
    assert by_time.curve.false[chosen] == by_time.verdict.false


def test_savings_have_intervals_against_every_way(by_time: BacktestReport) -> None:
    saved = by_time.to_dict()["saved"]

    assert list(saved) == WAYS[1:]
    assert saved["signal_limits"] is None
    for way in ("do_nothing", "calendar", "fixed_limit", "three_sigma"):
        assert saved[way]["low"] <= saved[way]["value"] <= saved[way]["high"]
    assert "[" in by_time.summary().split("against doing nothing")[1][:20]

"""Readings that could not be believed are left out, and at each moment only those of which that was known then."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest

from features.extract import extract
from features.recipe import Recipe
from features.recipe_for import recipe_for
from features.table import FeatureTable
from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal
from models.believed import believed_table, explained
from models.explain import explain, explain_row
from models.fit import fit_bundle
from models.moment import instant
from models.sensors.believed_history import BelievedHistory
from models.sensors.doubt import Doubt, doubts
from models.sensors.health import APART, JOINED, STEP, Health, sensor_health
from tests.features.table_history import TableHistory

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SIGNALS = ("flow", "power", "pressure", "heat")
PUMP = MachineClass(name="pump", signals=[Signal(name=name) for name in SIGNALS])
FAULT, DAYS = BEGIN + 30 * DAY, 34


@cache
def readings() -> pd.DataFrame:
    """One pump whose four signals follow one load, read every hour."""
    random = np.random.default_rng(2)
    count = DAYS * 24
    load = 10 * np.sin(np.arange(count) / 7) + random.normal(0, 1, count)
    values = {name: 50 + (1 + place) * load / 2 + random.normal(0, 1, count) for place, name in enumerate(SIGNALS)}
    times = pd.date_range(BEGIN + HOUR, periods=count, freq="h")
    return pd.DataFrame({"machine": "m1", "time": times, **values})


def shifted(*signals: str, by: float = 30.0, until: datetime = BEGIN + DAYS * DAY) -> pd.DataFrame:
    changed = readings().copy()
    rows = (changed["time"] > pd.Timestamp(FAULT)) & (changed["time"] <= pd.Timestamp(until))
    for name in signals:
        changed.loc[rows, name] += by
    return changed


def health_of(frame: pd.DataFrame) -> dict[str, set[int]]:
    health = sensor_health(TableHistory(frame), PUMP, ["m1"], FAULT, BEGIN + DAYS * DAY)["m1"]
    return {name: set(row[row != 0].tolist()) for name, row in zip(health.signals, health.fault, strict=True)}


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_signal_that_leaves_the_others_alone_is_a_sensor(signal: str) -> None:
    frame = readings().copy()
    days = (frame["time"] - pd.Timestamp(FAULT)) / pd.Timedelta(DAY)
    frame[signal] += 8.0 * days.clip(lower=0)
    said = health_of(frame)
    assert APART in said[signal]
    assert not any(APART in codes for name, codes in said.items() if name != signal)


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_signal_that_steps_alone_is_doubted_within_hours_until_it_steps_back(signal: str) -> None:
    frame = shifted(signal, until=FAULT + 2 * DAY)
    health = sensor_health(TableHistory(frame), PUMP, ["m1"], FAULT, BEGIN + DAYS * DAY)["m1"]
    stepped = dict(zip(health.signals, health.fault == STEP, strict=True))
    seen = np.flatnonzero(stepped[signal]) + 1
    assert seen[0] <= 10
    assert 48 <= seen[-1] <= 58
    assert seen.size == seen[-1] - seen[0] + 1
    assert not any(own.any() for name, own in stepped.items() if name != signal)


def test_signals_that_depart_together_are_the_machine() -> None:
    said = health_of(shifted("flow", "heat"))
    assert not any(APART in codes for codes in said.values())
    assert JOINED in said["flow"] | said["heat"]


def test_no_signal_is_apart_while_another_is_broken_that_foretells_it() -> None:
    frame = readings().copy()
    days = (frame["time"] - pd.Timestamp(FAULT)) / pd.Timedelta(DAY)
    frame["flow"] += 8.0 * days.clip(lower=0)
    frame.loc[(days > 2.5) & (np.random.default_rng(6).random(len(frame)) < 0.15), "heat"] += 80.0
    health = sensor_health(TableHistory(frame), PUMP, ["m1"], FAULT, BEGIN + DAYS * DAY)["m1"]
    flow, heat = (health.fault[health.signals.index(name)] for name in ("flow", "heat"))
    broken = (heat > 0) & (heat != APART)
    assert (flow[~broken] == APART).any()
    assert broken.any()
    assert not (flow[broken] == APART).any()
    assert (flow[broken] == JOINED).any(), "so that none of its readings is doubted for that"


def test_what_all_signals_show_together_is_neither() -> None:
    assert not any(APART in codes for codes in health_of(readings()).values())


def test_a_week_that_is_over_is_told_as_it_was_told_day_by_day() -> None:
    monday, chance = BEGIN + 21 * DAY, np.random.default_rng(5)
    frame = readings().copy()
    rows = frame["time"] > pd.Timestamp(monday + 30 * HOUR)
    frame.loc[rows, "heat"] += 40.0
    frame.loc[rows & (chance.random(len(frame)) < 0.1), "flow"] += 60.0
    frame.loc[rows & (chance.random(len(frame)) < 0.7), "power"] = np.nan
    frame = frame[~frame["time"].between(pd.Timestamp(monday + 60 * HOUR), pd.Timestamp(monday + 80 * HOUR))]
    whole = sensor_health(TableHistory(frame), PUMP, ["m1"], monday, monday + 8 * DAY)["m1"]
    assert {APART, JOINED} & set(whole.fault.ravel().tolist())
    assert len(set(whole.fault.ravel().tolist())) > 2
    for hours in (31, 47, 72, 100, 143, 167):
        known = frame[frame["time"] <= pd.Timestamp(monday + hours * HOUR)]
        then = sensor_health(TableHistory(known), PUMP, ["m1"], monday, monday + hours * HOUR)["m1"]
        np.testing.assert_array_equal(then.fault, whole.fault[:, :hours])


def recipe() -> Recipe:
    entry = ModelEntry(
        name="strange", task="anomaly", machine_class="pump", horizon="8 h", windows=["12 h", "3 d"], stride="4 h"
    )
    return recipe_for(entry, PUMP, sampling=dict.fromkeys(SIGNALS, HOUR))


def table_of(frame: pd.DataFrame, start: datetime, end: datetime) -> FeatureTable:
    return believed_table(recipe(), PUMP, TableHistory(frame), ["m1"], start, end).table


def mean_of(table: FeatureTable, name: str) -> np.ndarray:
    return np.asarray(table.values[:, table.names.index(name)])


def test_long_windows_do_not_carry_a_fault_that_is_over() -> None:
    frame, over = shifted("heat", until=FAULT + 2 * DAY), FAULT + 2 * DAY
    blank = readings().copy()
    blank.loc[(blank["time"] > pd.Timestamp(FAULT)) & (blank["time"] <= pd.Timestamp(over)), "heat"] = np.nan
    history, asked = TableHistory(frame), (["m1"], over + DAY + 4 * HOUR, over + DAY + 12 * HOUR)
    right = mean_of(extract(recipe(), TableHistory(blank), *asked), "heat__mean__3d")
    wrong = mean_of(extract(recipe(), history, *asked), "heat__mean__3d")
    told = mean_of(believed_table(recipe(), PUMP, history, *asked).table, "heat__mean__3d")
    assert np.abs(told - right).max() < np.abs(wrong - right).min() / 2


def test_each_moment_is_told_what_was_known_then_whoever_asks_and_when() -> None:
    frame = shifted("heat", until=FAULT + 2 * DAY)
    whole = table_of(frame, FAULT - DAY, FAULT + 4 * DAY)
    for hours in (8, 56):
        end = FAULT + (hours + 8) * HOUR
        piece = table_of(frame[frame["time"] <= pd.Timestamp(end)], FAULT + hours * HOUR, end)
        same = np.isin(whole.time, piece.time)
        np.testing.assert_array_equal(whole.values[same], piece.values)
        assert whole.filled_by_signal is not None
        np.testing.assert_array_equal(whole.filled_by_signal[same], piece.filled_by_signal)
    raw = mean_of(table_of(readings(), FAULT - DAY, FAULT + DAY), "heat__mean__12h")
    before = mean_of(whole, "heat__mean__12h")[: len(raw)]
    assert np.nanmax(np.abs(before - raw)) > 3, "until it is found the fault is there"


def its_own(baseline: int) -> ModelEntry:
    return ModelEntry(
        name="strange",
        task="anomaly",
        machine_class="pump",
        horizon="8 h",
        windows=["6 h", "1 d"],
        stride="2 h",
        features=["mean_shift", "spread_ratio"],
        baseline=f"{baseline} d",
    )


def faulty_at_first(fault: str, first: float, last: float) -> pd.DataFrame:
    """Readings with a faulty sensor from one day to another, and another faulty one on day 30."""
    frame, chance = readings().copy(), np.random.default_rng(7)
    days = (frame["time"] - pd.Timestamp(BEGIN)) / pd.Timedelta(DAY)
    own, later = (days > first) & (days <= last), (days > 30) & (days <= 30.5)
    frame.loc[own, "heat"] += chance.normal(0, 60, own.sum()) if fault == "noise" else 40.0
    frame.loc[later, "flow"] += chance.normal(0, 60, later.sum())
    return frame


@pytest.mark.parametrize(
    ("fault", "first", "last", "baseline"), [("noise", 15.0, 17.0, 20), ("offset", 23.5, 29.0, 24)]
)
def test_rows_are_compared_with_the_same_own_normal_whether_asked_alone_or_with_those_before(
    fault: str, first: float, last: float, baseline: int
) -> None:
    frame, end = faulty_at_first(fault, first, last), BEGIN + DAYS * DAY
    recipe = recipe_for(its_own(baseline), PUMP, sampling=dict.fromkeys(SIGNALS, HOUR))
    history, starts = TableHistory(frame), (BEGIN, end - DAY, end - 2 * HOUR)
    long, day, row = (believed_table(recipe, PUMP, history, ["m1"], each, end).table for each in starts)
    for short in (day, row):
        assert long.time[-len(short) :].tolist() == short.time.tolist()
        np.testing.assert_array_equal(long.values[-len(short) :], short.values, strict=True)
        assert np.isfinite(short.values).all()
    place = long.names.index("heat__spread_ratio__6h")
    raw = extract(recipe, history, ["m1"], end - DAY, end).values
    assert np.abs(raw[:, place] / day.values[:, place] - 1).min() > 0.02, "the fault lies in what it is compared with"
    for hours in (baseline * 24 + 4, last * 24 + 4, last * 24 + 16, *range(30 * 24 - 6, 30 * 24 + 8, 2)):
        at = BEGIN + hours * HOUR
        known = TableHistory(frame[frame["time"] <= pd.Timestamp(at)])
        then = believed_table(recipe, PUMP, known, ["m1"], at - 2 * HOUR, at).table
        np.testing.assert_array_equal(long.values[long.time == instant(at)], then.values)


def test_an_explanation_compares_with_the_own_normal_that_the_level_was_made_with() -> None:
    frame, end = faulty_at_first("noise", 15, 17), BEGIN + DAYS * DAY
    plant = Plant(classes=[PUMP], machines=[Machine(name="m1", machine_class="pump")], models=[its_own(20)])
    recipe = recipe_for(plant.models[0], PUMP, sampling=dict.fromkeys(SIGNALS, HOUR))
    history = TableHistory(frame)
    table = believed_table(recipe, PUMP, history, ["m1"], BEGIN, end).table
    bundle = fit_bundle(plant.models[0], plant, recipe, table, history.events(), end)
    told = explained(plant, history, bundle, "m1", end)
    assert told == explain_row(bundle, table.where(np.array([len(table) - 1])), end)
    assert told != explain(bundle, history, "m1", end), "what was doubted has a say in it"


def test_what_went_apart_is_doubted_once_it_is_back_and_never_if_others_followed() -> None:
    hours = np.datetime64("2026-01-01", "us") + np.arange(8) * np.timedelta64(1, "h")
    fault = np.array([[0, 5, 5, -1, 0, 0, 0, 0], [0, 5, 5, 0, 0, 0, 0, 5], [0, 0, 0, 0, 0, 2, 2, 0]], np.int8)
    apart, stuck = doubts(Health(("flow", "heat", "power"), hours, fault))
    assert (apart.signal, apart.end, apart.known) == ("heat", hours[2], hours[3])
    assert (stuck.signal, stuck.end, stuck.known) == ("power", hours[6], hours[5])
    assert stuck.at(hours).tolist() == [False] * 5 + [True] * 3


def test_doubted_readings_are_hidden_and_nothing_else() -> None:
    history = TableHistory(readings())
    doubt = Doubt("heat", instant(FAULT), instant(FAULT + 5 * HOUR), instant(FAULT))
    hidden = BelievedHistory(history, {"m1": [doubt]}).read("pump", start=FAULT - HOUR, end=FAULT + 7 * HOUR).table
    assert np.isnan(hidden["heat"].to_numpy()).tolist() == [False] + [True] * 5 + [False] * 2
    assert not np.isnan(hidden["flow"].to_numpy()).any()
    plain = history.read("pump", start=FAULT - HOUR, end=FAULT).table
    assert BelievedHistory(history, {"m1": [doubt]}).read("pump", start=FAULT - HOUR, end=FAULT).table == plain


def test_a_stop_while_the_sensor_that_tells_of_stops_is_doubted_leaves_no_trace() -> None:
    runs = MachineClass(name="pump", signals=PUMP.signals, running="power > 5", settle="1 h")
    stop = slice((FAULT - BEGIN) // HOUR + 24, (FAULT - BEGIN) // HOUR + 30)
    stopped, blind = readings().copy(), readings().copy()
    for frame in (stopped, blind):
        frame.loc[frame.index[stop], list(SIGNALS)] = 0.0
    gone = (blind["time"] > pd.Timestamp(FAULT)) & (blind["time"] <= pd.Timestamp(FAULT + 2 * DAY))
    blind.loc[gone, "power"] = 50.0  # stuck: it runs on for ever
    entry = ModelEntry(name="odd", task="anomaly", machine_class="pump", horizon="24 h")
    recipe = recipe_for(entry, runs, sampling=dict.fromkeys(SIGNALS, HOUR))

    def lowest(frame: pd.DataFrame) -> float:
        history = TableHistory(frame)
        end = BEGIN + DAYS * DAY
        table = believed_table(recipe, runs, history, ["m1"], FAULT + 3 * DAY, end).table
        columns = [place for place, name in enumerate(table.names) if name.startswith("pressure__minimum__")]
        return float(np.nanmin(table.values[:, columns]))

    assert lowest(stopped) > 20, "a stop that is known is left out"
    assert lowest(blind) > 20, "and so is one that nobody can know of"

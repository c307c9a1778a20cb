"""Snapshots in a feature table: which windows hold them, what they come to, and that nothing else changes them."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from features.bearing import Geometry
from features.catalogue import BY_NAME, FEATURES
from features.column import feature_of, signal_of
from features.describe import describe, unit_of
from features.extract import extract
from features.limits import Limits
from features.microsecond import moment
from features.recipe import Recipe
from features.recipe_for import recipe_for
from features.running import Running
from features.table import FeatureTable
from features.touched import touched
from features.waveform import Bearing, Waveform
from ingest.errors import PlantFileError
from ingest.event import Event
from ingest.plant import MachineClass, ModelEntry, Signal
from ingest.rate import Hertz
from ingest.reading import Readings
from ingest.store import Store
from tests.features.table_history import START, TableHistory, after, readings_frame

RATE = 2_000.0
MINUTE = timedelta(minutes=1)
WAVEFORM = Waveform(
    signal="vibration",
    rate=RATE,
    every=10 * MINUTE,
    integrations=1,
    velocity_unit=1000.0,
    speed_signal="speed",
    speed_unit=1 / 60,
    speed_hold=5 * MINUTE,
    bands=((100.0, 200.0),),
    bearings=(Bearing(name="drive end", geometry=Geometry(9, 7.94, 39.04)),),
)
RECIPE = Recipe(
    machine_class="fan",
    signals=("speed",),
    windows=(30 * MINUTE, 60 * MINUTE),
    stride=10 * MINUTE,
    features=(
        *("mean", "last", "snapshot_rms", "snapshot_peak", "velocity_rms", "velocity_rms_last", "harmonic_rms"),
        *("order_rms", "band_rms", "octave_rms", "bearing_evidence", "share_above_limit", "median"),
    ),
    every=(MINUTE,),
    limits=(Limits(high=1490.0),),
    waveforms=(WAVEFORM,),
)
SILENT = replace(RECIPE, signals=(), every=(), limits=(), features=("snapshot_rms",))


def _snapshot(minutes: float, amplitude: float = 1.0, samples: int = 2_000, machine: str = "a") -> pd.DataFrame:
    seconds = np.arange(samples) / RATE
    values = amplitude * np.sin(2 * np.pi * 50 * seconds)
    return readings_frame(machine, minutes + seconds / 60, vibration=values)


def _history(*parts: pd.DataFrame, events: tuple[Event, ...] = (), rpm: float = 1500.0) -> TableHistory:
    every = np.arange(0, 121, 1.0)
    speed = [readings_frame(name, every, speed=np.full(len(every), rpm)) for name in ("a", "b")]
    frame = pd.concat([*speed, *parts]).groupby(["machine", "time"], as_index=False).first()
    return TableHistory(frame, events)


def _column(table: FeatureTable, name: str) -> NDArray[np.float64]:
    return table.values[:, table.names.index(name)]


def _ten_minutes(count: int = 12) -> list[pd.DataFrame]:
    return [_snapshot(10 * place + 3.0, 1.0 + place) for place in range(count)]


def test_a_window_has_the_mean_of_its_snapshots_and_the_newest() -> None:
    table = extract(RECIPE, _history(*_ten_minutes()), ["a"], after(minutes=59), after(minutes=60))

    amplitudes = np.arange(1, 7)
    velocity = 1000 / np.sqrt(2) / (2 * np.pi * 50)
    assert _column(table, "vibration__snapshot_rms__30min")[0] == pytest.approx(amplitudes[3:].mean() / np.sqrt(2))
    assert _column(table, "vibration__snapshot_rms__1h")[0] == pytest.approx(amplitudes.mean() / np.sqrt(2))
    assert _column(table, "vibration__snapshot_peak__1h")[0] == pytest.approx(amplitudes.mean())
    assert _column(table, "vibration__velocity_rms_last__30min")[0] == pytest.approx(6 * velocity, rel=1e-4)
    assert _column(table, "vibration__harmonic_rms@2x__30min")[0] == pytest.approx(5 / np.sqrt(2))
    assert _column(table, "vibration__harmonic_rms@1x__30min")[0] < 1e-9
    assert _column(table, "vibration__order_rms@2x__30min")[0] == pytest.approx(5 / np.sqrt(2), rel=1e-2)
    assert _column(table, "vibration__octave_rms@63Hz__30min")[0] == pytest.approx(5 / np.sqrt(2))
    assert _column(table, "vibration__band_rms@100-200Hz__30min")[0] < 1e-9
    assert _column(table, "speed__mean__30min")[0] == 1500


def test_a_snapshot_belongs_to_windows_that_hold_all_of_it_once_it_is_over() -> None:
    crossing = _snapshot(29.99)  # 29:59.4 to 30:00.4
    history = _history(crossing, _snapshot(55.0, 2.0))

    table = extract(RECIPE, history, ["a"], after(minutes=29), after(minutes=70))

    rms = _column(table, "vibration__snapshot_rms__30min") * np.sqrt(2)
    np.testing.assert_allclose(rms, [np.nan, 1, 1, 2, 2], rtol=1e-3)


def test_a_window_with_too_few_of_the_snapshots_that_it_should_hold_says_nothing() -> None:
    table = extract(RECIPE, _history(_snapshot(55.0)), ["a"], after(minutes=59), after(minutes=60))

    assert np.isfinite(_column(table, "vibration__snapshot_rms__30min")).all()
    assert np.isnan(_column(table, "vibration__snapshot_rms__1h")).all()


def test_no_snapshot_from_before_a_failure_is_used() -> None:
    failure = Event(machine="a", kind="failure", time=after(minutes=35))

    table = extract(RECIPE, _history(*_ten_minutes(), events=(failure,)), ["a"], after(minutes=59), after(minutes=60))

    assert _column(table, "vibration__snapshot_peak__1h")[0] == pytest.approx(5.5)


def test_what_comes_later_changes_nothing() -> None:
    early = _history(*_ten_minutes(6))
    later = _history(*_ten_minutes(12), _snapshot(60.001, 9.0))
    # A run that goes on after the end of a window is not over, whether or not the rest is there.
    growing = _snapshot(59.995)
    cut = growing[growing["time"] <= pd.Timestamp(after(minutes=60))]

    tables = [
        extract(RECIPE, history, ["a"], START, after(minutes=60))
        for history in (early, later, _history(*_ten_minutes(6), cut), _history(*_ten_minutes(6), growing))
    ]

    for table in tables[1:]:
        assert table.values.tobytes() == tables[0].values.tobytes()


def test_how_the_work_is_cut_changes_no_bit() -> None:
    history = _history(*_ten_minutes(), *[_snapshot(10 * place + 7.0, 2.0, machine="b") for place in range(12)])

    whole = extract(RECIPE, history, ["a", "b"], START, after(minutes=120))
    small = extract(RECIPE, history, ["a", "b"], START, after(minutes=120), cells=5_000)
    pieces = [
        extract(RECIPE, history, [name], after(minutes=begin), after(minutes=begin + 40))
        for name in ("a", "b")
        for begin in (0, 40, 80)
    ]

    assert np.isfinite(whole.values).any(axis=0).sum() > 20
    assert small.values.tobytes() == whole.values.tobytes()
    assert np.concatenate([piece.values for piece in pieces]).tobytes() == whole.values.tobytes()


def test_a_waveform_alone_is_enough_and_fills_its_windows_by_the_snapshots_expected() -> None:
    snapshots = [_snapshot(place, machine="a") for place in (5.0, 15.0, 25.0, 35.0)]
    history = TableHistory(pd.concat(snapshots))

    table = extract(SILENT, history, ["a"], START, after(hours=2))

    minutes = (table.time - table.time[0]) / np.timedelta64(1, "m")
    assert minutes.tolist() == list(range(0, 81, 10))
    np.testing.assert_allclose(table.filled, [1 / 3, 2 / 3, 1, 1, 2 / 3, 1 / 3, 0, 0, 0])
    assert table.signals == ("vibration",)
    assert table.filled_by_signal is not None
    np.testing.assert_allclose(table.filled_by_signal[:, 0], table.filled, rtol=1e-6)
    assert np.isfinite(_column(table, "vibration__snapshot_rms__30min")[:6]).all()


def test_a_broken_snapshot_counts_by_its_parts_and_a_missing_speed_takes_only_what_needs_it() -> None:
    broken = _snapshot(55.0)
    broken.loc[1_000, "vibration"] = np.nan
    history = _history(broken)
    history.readings.loc[history.readings["speed"] == 1500, "speed"] = np.nan

    table = extract(RECIPE, history, ["a"], after(minutes=59), after(minutes=60))

    assert _column(table, "vibration__snapshot_rms__30min")[0] == pytest.approx(1 / np.sqrt(2), rel=1e-3)
    assert np.isnan(_column(table, "vibration__harmonic_rms@2x__30min")[0])
    assert np.isnan(_column(table, "vibration__bearing_evidence@drive end.outer__30min")[0])


def test_a_speed_is_never_taken_from_after_the_snapshot() -> None:
    spoken = readings_frame("a", [55.5], speed=np.array([1500.0]))
    history = TableHistory(pd.concat([_snapshot(55.0), spoken]))

    table = extract(RECIPE, history, ["a"], after(minutes=59), after(minutes=60))

    assert np.isnan(_column(table, "vibration__harmonic_rms@2x__30min")[0])


def test_a_recipe_with_waveforms_is_written_and_read_back_and_one_without_has_its_old_hash() -> None:
    again = Recipe.from_dict(RECIPE.to_dict())

    assert again == RECIPE
    assert again.hash == RECIPE.hash
    assert "waveforms" not in replace(RECIPE, waveforms=()).to_dict()


def test_columns_name_themselves_and_are_told_in_words() -> None:
    name = "vibration__bearing_evidence@drive end.outer__30min"
    column = RECIPE.column(name)

    assert signal_of(name) == "vibration"
    assert feature_of(name) == "bearing_evidence"
    assert describe(column) == "30 min evidence for damage: drive end.outer"
    assert unit_of(RECIPE.column("vibration__velocity_rms_last__30min"), "g") == "mm/s"
    assert unit_of(RECIPE.column("vibration__harmonic_rms@1x__30min"), "g") == "g"


def test_no_feature_of_a_waveform_is_made_of_a_slow_signal_and_none_of_a_slow_one_of_a_waveform() -> None:
    for column in RECIPE.columns:
        assert BY_NAME[column.feature].of_waveform == (column.signal == "vibration")
    assert {each.name for each in FEATURES if each.of_waveform and each.name.endswith("_last")} == {
        f"{each.name}_last" for each in FEATURES if each.kind == "snapshot"
    }


def test_what_was_recorded_while_the_machine_was_off_is_left_out() -> None:
    running = Running(expression="speed > 100", signals=("speed",), settle=2 * MINUTE, hold=5 * MINUTE)
    recipe = replace(RECIPE, running=running)
    history = _history(*_ten_minutes(6))
    off = history.readings["time"].between(after(minutes=41), after(minutes=52))
    history.readings.loc[off & history.readings["speed"].notna(), "speed"] = 0.0

    table = extract(recipe, history, ["a"], after(minutes=59), after(minutes=60))

    # Of the snapshots at 33, 43 and 53 min the second was off; the third came while the machine settled.
    assert _column(table, "vibration__snapshot_peak__30min")[0] == pytest.approx(4)


def test_each_day_is_measured_once_and_again_when_its_readings_change(tmp_path: Path) -> None:
    kept, anew = (_Store(tmp_path / name) for name in ("kept", "anew"))
    days = [_snapshot(24 * 60 * day + 10.0 * place + 3.0, 1.0 + day) for day in (0, 1) for place in range(3)]
    for each in (kept, anew):
        each.append(TableHistory(pd.concat(days)).read("fan"), source="s", position="1")

    def row(store: "_Store") -> bytes:
        store.asked.clear()
        recipe = replace(SILENT, windows=(30 * MINUTE, 48 * 60 * MINUTE))
        end = after(days=1, minutes=30)
        return extract(recipe, store, ["a"], end - 10 * MINUTE, end).values.tobytes()

    first = row(kept)
    assert len(kept.asked) > 1
    assert row(kept) == first
    assert kept.asked == []
    late = _snapshot(24 * 60 + 43.0, 7.0).iloc[[5]]
    for each in (kept, anew):
        each.append(TableHistory(late).read("fan"), source="s", position="2")
    assert row(kept) == row(anew)
    assert {start.day for start in kept.asked} <= {5, 6}
    for each in (kept, anew):
        each.close()


class _Store(Store):
    """Remembers from when on it was read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked: list[datetime] = []

    def read(self, machine_class: str, **asked: Any) -> Readings:
        self.asked.append(asked["start"])
        return super().read(machine_class, **asked)


def test_a_model_takes_the_waveforms_of_its_class_as_the_plant_declares_them() -> None:
    fan = MachineClass.model_validate(
        {
            "name": "fan",
            "signals": [
                {"name": "speed", "unit": "Hz", "every": "1 s"},
                {"name": "vibration", "unit": "g", "rate": "25.6 kHz", "every": "10 min", "speed": "speed"},
                {"name": "current", "unit": "A", "rate": "10 kHz", "every": "10 min", "bands": [[40, 60]]},
            ],
            "bearings": [
                {"name": "de", "elements": 9, "ball_diameter": 8, "pitch_diameter": 39, "signals": ["vibration"]}
            ],
        }
    )
    sampling = {"speed": timedelta(seconds=1), "vibration": 10 * MINUTE, "current": 10 * MINUTE}
    entry = ModelEntry(name="m", task="anomaly", machine_class="fan", horizon=timedelta(hours=8))

    recipe = recipe_for(entry, fan, sampling=sampling)
    vibration, current = recipe.waveforms

    assert recipe.signals == ("speed",)
    assert recipe.all_signals == ("speed", "vibration", "current")
    assert vibration.integrations == 1
    assert vibration.velocity_unit == pytest.approx(9806.65)
    assert vibration.speed_signal == "speed"
    assert vibration.speed_unit == 1
    assert vibration.speed_hold == timedelta(seconds=5)
    assert current.integrations is None
    names = {name.rsplit("__", 1)[0] for name in recipe.names}
    assert {"vibration__velocity_rms", "vibration__bearing_evidence@de.inner", "current__band_rms@40-60Hz"} <= names
    assert not {"current__velocity_rms", "current__harmonic_rms@1x", "vibration__mean", "speed__snapshot_rms"} & names


@pytest.mark.parametrize(
    ("unit", "integrations", "factor"),
    [("m/s2", 1, 1000.0), ("mm/s", 0, 1.0), ("um", -1, 0.001), ("A", None, 1.0), ("", None, 1.0), ("kg", None, 1.0)],
)
def test_a_unit_says_how_a_velocity_follows(unit: str, integrations: int | None, factor: float) -> None:
    signal = Signal(name="v", unit=unit, rate=Hertz(1000), every=MINUTE)
    found = Waveform.of(MachineClass(name="c", signals=[signal]), signal, {"v": MINUTE})

    assert found.integrations == integrations
    assert found.velocity_unit == pytest.approx(factor)


def test_a_model_whose_features_are_of_no_signal_that_it_has_is_told_so() -> None:
    signal = Signal(name="v", unit="g", rate=Hertz(1000), every=MINUTE)
    entry = ModelEntry(name="m", task="anomaly", machine_class="c", horizon=timedelta(hours=8), features=["mean"])

    with pytest.raises(
        PlantFileError, match=r"models.m.features: none is of a signal; add one, such as 'velocity_rms'"
    ):
        recipe_for(entry, MachineClass(name="c", signals=[signal]), sampling={"v": MINUTE})


def test_a_late_reading_touches_the_windows_that_it_changes() -> None:
    whole = [*_ten_minutes(6), _snapshot(75.0, 3.0)]
    late = whole[-1].iloc[[700]]
    without = pd.concat([whole[-1].iloc[:700], whole[-1].iloc[701:]])
    before, since = _history(*whole[:-1], without), _history(*whole)

    old, new = (extract(RECIPE, each, ["a"], START, after(hours=2)) for each in (before, since))
    (changed,) = np.nonzero((old.values != new.values) & ~(np.isnan(old.values) & np.isnan(new.values)))[:1]
    times = np.array([moment(late["time"].iloc[0].to_pydatetime())])
    spans = touched(RECIPE, times, moment(START), moment(START), moment(after(hours=2)))

    assert len(changed)
    for row in changed:
        end = int(new.time[row].astype(np.int64))
        assert any(begin < end <= stop for begin, stop in spans)

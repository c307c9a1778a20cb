"""The made-up plant: the same numbers always, machine by machine, day by day."""

import math
import tracemalloc
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import ScenarioError
from ingest.simulation.degradation import Fate
from ingest.simulation.life import Life, degradations
from ingest.simulation.machine import MachineHistory, machine_days, simulate, simulate_machine
from ingest.simulation.scenario import Scenario, scenario_from
from ingest.simulation.sensor_fault import sensor_faults
from ingest.simulation.shifts import after_running, planned_spans
from ingest.simulation.stream import LiveBatch, stream

PLANT = Scenario(
    machines={"pump": 2, "spindle": 2},
    days=40,
    start=date(2026, 3, 1),
    every=timedelta(hours=1),
    time_zone="Europe/Berlin",
    failures_per_machine_year=20,
    sensor_faults_per_machine_year=20,
    seed=11,
)
SCENARIOS = st.builds(
    Scenario,
    machines=st.just({"conveyor": 1, "press": 1}),
    days=st.integers(1, 60),
    start=st.dates(date(2025, 1, 1), date(2026, 12, 31)),
    seed=st.integers(0, 2**32),
    time_zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]),
    shifts=st.sampled_from(["", "one shift", "two shifts", "three shifts", "continuous"]),
    failures_per_machine_year=st.sampled_from([0.0, 4.0, 60.0]),
    sudden_share=st.sampled_from([0.0, 0.3, 1.0]),
    maintenance_every=st.sampled_from([timedelta(days=5), timedelta(days=45)]),
)


def history(scenario: Scenario, name: str) -> MachineHistory:
    return simulate_machine(scenario, next(each for each in scenario.plant() if each.name == name))


def same(one: MachineHistory, other: MachineHistory) -> bool:
    return one.readings.table.equals(other.readings.table) and all(
        getattr(one, table).equals(getattr(other, table)) for table in ("events", "production", "truth")
    )


def test_the_same_seed_makes_the_same_plant() -> None:
    assert all(same(one, other) for one, other in zip(simulate(PLANT), simulate(PLANT), strict=True))


def test_another_seed_makes_another_plant() -> None:
    one, other = history(PLANT, "pump-01"), history(replace(PLANT, seed=12), "pump-01")

    assert not one.readings.table.equals(other.readings.table)
    assert not one.truth.equals(other.truth)


def test_a_machine_does_not_depend_on_the_others() -> None:
    larger = replace(PLANT, machines={"compressor": 1, "pump": 5})

    assert same(history(PLANT, "pump-02"), history(larger, "pump-02"))


def test_machines_of_one_kind_differ() -> None:
    one, other = history(PLANT, "pump-01").readings.table, history(PLANT, "pump-02").readings.table

    assert not one["flow"].equals(other["flow"])


def test_a_longer_scenario_begins_with_the_same_days() -> None:
    short = history(PLANT, "spindle-01")
    long = history(replace(PLANT, days=70), "spindle-01")

    assert long.readings.table.slice(0, short.readings.table.num_rows).equals(short.readings.table)
    pd.testing.assert_frame_equal(long.production.head(len(short.production)), short.production)


@given(scenario=SCENARIOS)
@settings(max_examples=15, deadline=None)
def test_the_truth_of_a_failure_to_come_is_what_a_longer_scenario_shows(scenario: Scenario) -> None:
    longer = replace(scenario, days=scenario.days + 90)
    for machine in scenario.plant():
        later = {(each.component, each.began): each for each in degradations(longer, machine)}
        for each in degradations(scenario, machine):
            found = later[each.component, each.began]
            assert (found.fails, found.ended, found.outcome) == (each.fails, each.ended, each.outcome)


@given(scenario=SCENARIOS)
@settings(max_examples=15, deadline=None)
def test_a_machine_runs_only_in_its_shifts_and_never_while_it_is_down(scenario: Scenario) -> None:
    machine = scenario.plant()[0]
    down_until = 0
    for day in islice(Life(scenario, machine).days(), scenario.days):
        planned = planned_spans(scenario.pattern(machine.kind), day.day, scenario.zone)
        for begin, end in day.running:
            assert any(first <= begin < end <= last for first, last in planned)
        stops = [(each.time, each.end or 0) for each in day.happenings if each.kind == "stop"]
        for begin, end in day.running:
            assert all(end <= stop or begin >= back for stop, back in stops)
            assert begin >= down_until or any(stop >= end for stop, _ in stops)
        down_until = max([down_until, *(back for _, back in stops)])


@given(scenario=SCENARIOS)
@settings(max_examples=15, deadline=None)
def test_damage_grows_until_the_failure_and_is_gone_after_the_repair(scenario: Scenario) -> None:
    machine = scenario.plant()[1]
    last: dict[tuple[str, int], float] = {}
    for day in islice(Life(scenario, machine).days(), scenario.days):
        times = np.arange(day.begin, day.end, 1800)
        for each in day.degradations:
            damage = each.damage(times)
            before = damage[(times >= each.began) & (times < (each.ended or math.inf))]
            assert np.all(np.diff(before) >= 0)
            assert not damage[times < each.began].any()
            if len(before):
                assert before[0] >= last.get((each.component, each.began), 0.0)
                assert before[-1] <= each.fate.strength or each.fate.mode.sudden
                last[each.component, each.began] = before[-1]
            if each.ended is not None:
                assert not damage[times >= each.ended].any()


@given(scenario=SCENARIOS)
@settings(max_examples=10, deadline=None)
def test_every_failure_has_its_truth_and_every_degradation_that_ended_has_its_event(scenario: Scenario) -> None:
    scenario = replace(scenario, every=timedelta(hours=6))
    for each in simulate(scenario):
        end = pd.Timestamp(scenario.end, unit="s", tz="UTC")
        past = each.truth[each.truth["ended"] < end]
        failures = each.events[each.events["kind"] == "failure"]
        planned = each.events[(each.events["kind"] == "maintenance") & (each.events["code"] == "planned")]
        failed = past[past["outcome"] == "failed"]
        prevented = past[past["outcome"] == "prevented"]

        assert set(zip(failures["time"], failures["component"], failures["code"], strict=True)) == set(
            zip(failed["fails"], failed["component"], failed["mode"], strict=True)
        )
        assert set(zip(prevented["ended"], prevented["component"], strict=True)) <= set(
            zip(planned["time"], planned["component"], strict=True)
        )
        assert (prevented["fails"] >= prevented["ended"]).all()
        assert (each.truth["began"] < end).all()


def test_a_sudden_failure_gives_no_sign_and_the_share_is_kept() -> None:
    truth = pd.concat(
        pd.DataFrame(
            [(each.fate.mode.sudden, each.fails - each.began) for each in degradations(many, machine)],
            columns=["sudden", "seconds"],
        )
        for many in [replace(PLANT, machines={"press": 40}, days=365, sudden_share=0.3)]
        for machine in many.plant()
    )

    assert (truth.loc[truth["sudden"], "seconds"] == 0).all()
    assert (truth.loc[~truth["sudden"], "seconds"] > 3600).all()
    assert truth["sudden"].mean() == pytest.approx(0.3, abs=0.06)


def test_failures_come_about_as_often_as_asked() -> None:
    plant = replace(
        PLANT,
        machines={"pump": 30, "spindle": 30},
        days=730,
        failures_per_machine_year=6,
        maintenance_every=timedelta(days=5000),
    )
    failures = sum(len(degradations(plant, machine)) for machine in plant.plant())

    assert failures / 60 / 2 == pytest.approx(6, rel=0.25)


def test_no_failures_and_no_sensor_faults_if_none_are_asked_for() -> None:
    calm = replace(PLANT, failures_per_machine_year=0, sensor_faults_per_machine_year=0)

    assert all(each.truth.empty and "failure" not in set(each.events["kind"]) for each in simulate(calm))


def test_a_fate_that_was_told_happens_and_nothing_else() -> None:
    calm = replace(
        PLANT, machines={"pump": 1}, failures_per_machine_year=0, sensor_faults_per_machine_year=0, days=40,
        maintenance_every=timedelta(days=9000),
    )  # fmt: skip
    (pump,) = calm.plant()
    (seal,) = (each for each in pump.kind.components if each.name == "seal")
    fate = Fate(seal.modes[0], onset=20 * 86400.0, interval=4 * 86400.0, exponent=2.0, strength=1.0)
    days = list(takewhile(lambda day: day.end <= calm.end, machine_days(calm, pump, {"seal": fate})))
    (failure,) = (each for day in days for each in day.happenings if each.kind == "failure")

    assert (failure.component, failure.code) == ("seal", seal.modes[0].name)
    assert failure.time - calm.begin == pytest.approx(24 * 86400, rel=0.05)


def test_only_a_share_of_machines_has_faulty_sensors_and_theirs_are_as_they_were() -> None:
    whole = replace(PLANT, machines={"pump": 200}, days=30, sensor_faults_per_machine_year=60)
    some = replace(whole, sensor_fault_share=0.2)
    first = [[next(sensor_faults(plant, each), None) for each in plant.plant()] for plant in (whole, some)]
    spared = sum(each is None for each in first[1])

    assert None not in first[0]
    assert 140 <= spared <= 180
    assert all(fault is None or fault == before for before, fault in zip(*first, strict=True))


def test_readings_leave_the_range_only_where_a_sensor_fault_says_so() -> None:
    outside = 0
    for each in simulate(replace(PLANT, days=120, sensor_faults_per_machine_year=40)):
        table = each.readings.table.to_pandas()
        faults = each.truth[each.truth["kind"] == "sensor fault"]
        for signal in each.machine.kind.signals:
            wrong = table[(table[signal.name] < signal.low) | (table[signal.name] > signal.high)]
            outside += len(wrong)
            own = faults[faults["component"] == signal.name]
            for moment in wrong["time"]:
                assert ((own["began"] <= moment) & (moment < own["ended"])).any()
    assert outside


def test_nothing_is_produced_and_nothing_turns_outside_the_shifts() -> None:
    plant = replace(PLANT, sensor_faults_per_machine_year=0)
    each = history(plant, "spindle-01")
    local = each.readings.table.to_pandas().assign(time=lambda table: table["time"].dt.tz_convert("Europe/Berlin"))
    off = local[(local["time"].dt.day_of_week == 6) | (local["time"].dt.hour < 6) | (local["time"].dt.hour >= 22)]
    begin, end = (each.production[column].dt.tz_convert("Europe/Berlin") for column in ("begin", "end"))

    assert off["speed"].max() < 100 < local["speed"].max()
    assert off["power"].max() < 1
    assert (begin.dt.day_of_week < 6).all()
    assert (begin.dt.hour >= 6).all()
    assert ((end - end.dt.normalize()) <= timedelta(hours=22)).all()
    assert (each.production["good"] + each.production["scrap"]).sum() > 1000


def test_a_degrading_machine_spoils_more_pieces() -> None:
    plant = replace(PLANT, machines={"spindle": 8}, days=90, failures_per_machine_year=30)
    spoilt, pieces = np.zeros(2), np.zeros(2)
    for each in simulate(plant):
        failed = each.truth.loc[each.truth["outcome"] == "failed", "ended"].to_numpy("datetime64[s]")
        made = each.production
        ahead = failed[np.newaxis, :] - made["end"].to_numpy("datetime64[s]")[:, np.newaxis]
        late = ((ahead >= np.timedelta64(0)) & (ahead < np.timedelta64(12, "h"))).any(axis=1).astype(int)
        np.add.at(spoilt, late, made["scrap"].to_numpy())
        np.add.at(pieces, late, (made["good"] + made["scrap"]).to_numpy())

    assert spoilt[1] / pieces[1] > 1.5 * spoilt[0] / pieces[0]


def test_minor_errors_become_more_frequent_before_failures_but_are_not_only_there() -> None:
    plant = replace(PLANT, machines={"pump": 8}, days=150, sudden_share=0)
    near, far, near_days, all_days = 0, 0, 0.0, 0.0
    for each in simulate(plant):
        errors = each.events[each.events["kind"] == "error"]["time"]
        failures = each.events[each.events["kind"] == "failure"]["time"]
        close = np.zeros(len(errors), bool)
        for failure in failures:
            close |= ((failure - errors < timedelta(days=1)) & (errors <= failure)).to_numpy()
        near, far = near + int(close.sum()), far + int((~close).sum())
        near_days, all_days = near_days + len(failures), all_days + plant.days

    assert far > 20
    assert near / near_days > 5 * far / (all_days - near_days)


def collect(batches: list[LiveBatch], machine_class: str) -> pa.Table:
    parts = [each.table for batch in batches for each in batch.readings if each.machine_class == machine_class]
    return pa.concat_tables(parts).sort_by([("machine", "ascending"), ("time", "ascending")])


@pytest.mark.parametrize("batch", [None, timedelta(hours=7), timedelta(minutes=90)])
def test_the_live_stream_says_the_same_as_the_files_across_a_change_of_the_clock(batch: timedelta | None) -> None:
    begin, end = datetime(2026, 3, 26, 23, tzinfo=UTC), datetime.fromtimestamp(PLANT.end, UTC)
    live = list(takewhile(lambda each: each.until <= end, stream(PLANT, begin, batch)))
    files = list(simulate(PLANT))
    live_events = pd.concat([each.events for each in live if len(each.events)])
    file_events = pd.concat([each.events for each in files])
    known = file_events["end"].fillna(file_events["time"])
    told = file_events[
        (known >= begin) & ~(file_events["end"].isna() & file_events["kind"].isin(["stop", "maintenance"]))
    ]
    order = ["machine", "time", "kind", "component", "code"]
    made = pd.concat([each.production for each in files])

    assert [each.until for each in live] == sorted({each.until for each in live})
    for kind in ("pump", "spindle"):
        table = pa.concat_tables(each.readings.table for each in files if each.machine.kind.name == kind)
        assert collect(live, kind).equals(table.filter(pa.compute.greater_equal(table["time"], pa.scalar(begin))))
    pd.testing.assert_frame_equal(
        live_events[~live_events["kind"].isin(["order", "count"])].sort_values(order, ignore_index=True),
        told.sort_values(order, ignore_index=True),
    )
    assert (live_events["kind"] == "order").sum() == (made["end"] >= begin).sum()
    assert live_events.loc[live_events["code"] == "good", "value"].sum() == made.loc[made["end"] >= begin, "good"].sum()


def test_a_batch_of_the_stream_tells_nothing_of_what_comes_after_it() -> None:
    before = datetime.fromtimestamp(PLANT.begin, UTC)
    for batch in islice(stream(PLANT, batch=timedelta(hours=5)), 100):
        for each in batch.readings:
            times = each.table["time"].to_pandas()
            assert times.min() >= before
            assert times.max() < batch.until
        assert (batch.events["end"].fillna(batch.events["time"]) < batch.until).all()
        before = batch.until


def test_memory_does_not_grow_with_the_length_of_the_life() -> None:
    machine = PLANT.plant()[0]

    def peak(days: int) -> int:
        tracemalloc.start()
        for _ in islice(machine_days(PLANT, machine), days):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(5)
    assert peak(300) < 2 * peak(30)


def test_after_running_skips_what_is_not_planned() -> None:
    friday = int(datetime(2026, 1, 9, 14, tzinfo=UTC).timestamp())
    plant = replace(PLANT, time_zone="UTC", shifts="one shift")

    monday = after_running(plant.pattern(plant.plant()[0].kind), plant.zone, friday, 2 * 3600)

    assert datetime.fromtimestamp(monday, UTC) == datetime(2026, 1, 12, 8, tzinfo=UTC)


def test_a_scenario_survives_json() -> None:
    assert scenario_from(PLANT.to_dict()) == PLANT


def test_a_number_of_machines_is_dealt_out_to_all_kinds() -> None:
    assert replace(PLANT, machines=7).machines_per_kind == {
        "press": 2,
        "pump": 2,
        "compressor": 1,
        "spindle": 1,
        "conveyor": 1,
    }


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"machines": {"robot": 1}}, "machines: {'robot': 1} is not possible"),
        ({"machines": 0}, "machines: 0"),
        ({"machines": "many"}, "machines: 'many'"),
        ({"days": 0}, "days: 0"),
        ({"days": "ten"}, "days: 'ten'"),
        ({"every": "7 min"}, "every:"),
        ({"every": "soon"}, "'soon' is not a duration"),
        ({"start": "5.1.2026"}, "5.1.2026"),
        ({"sudden_share": 2}, "sudden_share: 2"),
        ({"time_zone": "Berlin"}, "time_zone: 'Berlin'"),
        ({"shifts": "nights"}, "shifts: 'nights'"),
        ({"failures_per_machine_year": math.nan}, "failures_per_machine_year: nan"),
        ({"speed": 3}, "no setting 'speed'"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused_in_one_line(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ScenarioError, match=r"^[^\n]+$") as raised:
        scenario_from(wrong)
    assert said in str(raised.value)

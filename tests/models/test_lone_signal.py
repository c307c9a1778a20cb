"""What rests on one signal alone is the machine where a recorded failure looked so, else it may be the sensor."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from features.recipe import Recipe
from features.running import Running
from features.table import FeatureTable
from ingest.event import Event, events_table
from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal, TaskName
from models.assess import assess_table, doubt_one_signal
from models.assessment import Assessments, Reason
from models.bundle import Bundle
from models.fit import fit_bundle
from models.lone_signal import LIKE
from models.moment import instant
from models.sensors.health import APART, Health

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAYS, LASTS = timedelta(hours=1), 40, 30
SIGNALS = ("flow", "power", "pressure")
MACHINES = tuple(f"mill-{number}" for number in range(5))
OFF = 12.0
"""By how many noises of its own a signal is off; the duty moves it by ten or twenty."""

RECIPE = Recipe(
    machine_class="mill",
    signals=SIGNALS,
    windows=(3 * HOUR,),
    stride=HOUR,
    features=("mean", "standard_deviation"),
    every=(HOUR / 6,) * 3,
)
PLANT = Plant(
    classes=[MachineClass(name="mill", signals=[Signal(name=name) for name in SIGNALS])],
    machines=[Machine(name=name, machine_class="mill") for name in MACHINES],
)
FAILED = {name: BEGIN + timedelta(days=8 + 6 * number) for number, name in enumerate(MACHINES[:4])}


def entry(task: TaskName = "anomaly") -> ModelEntry:
    return ModelEntry(name="odd", task=task, machine_class="mill", horizon="24 h", needed_lead="2 h")


def windows(seed: int, *, signs: tuple[str, ...] = (), before: dict[str, datetime] | None = None) -> FeatureTable:
    """Return hourly windows of mills; these signals are off in the hours before each moment."""
    random = np.random.default_rng(seed)
    rows = DAYS * 24
    machine = np.repeat(np.array(MACHINES, dtype=object), rows)
    time = np.tile(instant(BEGIN) + np.arange(1, rows + 1) * np.timedelta64(3_600_000_000, "us"), len(MACHINES))
    values = random.standard_normal((len(machine), len(RECIPE.names))) + 100
    duty = 10 * random.standard_normal(len(machine))
    for place, name in enumerate(RECIPE.names):
        if "__mean__" in name:
            values[:, place] += duty * (1.0, 2.0, -1.0)[SIGNALS.index(name.split("__")[0])]
    for name, moment in (before or {}).items():
        late = (machine == name) & (time < instant(moment)) & (time >= instant(moment - LASTS * HOUR))
        for signal in signs:
            values[late, RECIPE.names.index(f"{signal}__mean__3h")] += OFF
    return FeatureTable(machine, time, RECIPE.names, values, np.ones(len(machine)))


def learnt(*signs: str, task: TaskName = "anomaly") -> Bundle:
    """Return a model of mills that failed after these signals were off, or never failed."""
    events = [Event(machine=name, kind="failure", time=moment) for name, moment in FAILED.items() if signs]
    table = windows(1, signs=signs, before=FAILED if signs else None)
    return fit_bundle(entry(task), PLANT, RECIPE, table, events_table(events), BEGIN + timedelta(days=DAYS))


def said(bundle: Bundle, *signs: str, apart: str = "") -> Assessments:
    """Return what is said of the last hours of a mill of which these signals are off."""
    end = BEGIN + timedelta(days=DAYS)
    table = windows(2, signs=signs, before={"mill-4": end + HOUR})
    table = table.where((table.machine == "mill-4") & (table.time > instant(end - (LASTS - 3) * HOUR)))
    fault = np.zeros((3, len(table)), dtype=np.int8)
    if apart:
        fault[SIGNALS.index(apart)] = APART
    health = {"mill-4": Health(SIGNALS, table.time, fault)}
    return doubt_one_signal(assess_table(bundle, table), bundle, table, health)


def shares(found: Assessments) -> tuple[float, float]:
    """Return for which share of its time a mill is over the threshold, and one signal of it alone."""
    return float(found.over.mean()), float((found.reason == Reason.ONE_SIGNAL).mean())


@pytest.fixture(scope="module")
def innocent() -> Bundle:
    return learnt()


@pytest.fixture(scope="module")
def failing_in_power() -> Bundle:
    return learnt("power")


def test_one_signal_alone_is_no_matter_of_the_machine(innocent: Bundle) -> None:
    found = said(innocent, "flow")

    over, doubted = shares(found)
    assert (over < 0.1, doubted > 0.8) == (True, True), (over, doubted)
    alone = found.reason == Reason.ONE_SIGNAL
    assert (found.level[alone] >= found.threshold).all()
    assert found.alone is not None
    assert (found.alone[alone] == "flow").all()
    assert (found.alone[~alone] == "").all()


def test_two_signals_are_the_machine(innocent: Bundle) -> None:
    over, doubted = shares(said(innocent, "flow", "power"))

    assert (over > 0.9, doubted < 0.1) == (True, True), (over, doubted)


def test_one_signal_is_the_machine_where_failures_began_so(failing_in_power: Bundle) -> None:
    power, flow = (shares(said(failing_in_power, signal)) for signal in ("power", "flow"))

    assert (power[0] > 0.9, power[1] < 0.1) == (True, True), power
    named = said(failing_in_power, "power")
    assert named.alone is not None
    assert (named.alone[named.over] == "power").mean() > 0.8, "its sensor is looked at first all the same"
    assert (flow[0] < 0.1, flow[1] > 0.8) == (True, True), flow


def test_a_sensor_that_is_apart_is_doubted_whatever_failures_looked_like(failing_in_power: Bundle) -> None:
    apart = shares(said(failing_in_power, "power", apart="power"))
    another = shares(said(failing_in_power, "power", apart="flow"))

    assert (apart[0] < 0.1, apart[1] > 0.8) == (True, True), apart
    assert (another[0] > 0.9, another[1] < 0.1) == (True, True), another


def test_an_event_does_not_speak_for_itself(failing_in_power: Bundle) -> None:
    episodes, normal = failing_in_power.episodes, failing_in_power.normal
    assert episodes is not None
    table = windows(1, signs=("power",), before=FAILED)
    mine = (table.machine == "mill-0") & (table.time < instant(FAILED["mill-0"]))
    mine &= table.time > instant(FAILED["mill-0"] - 20 * HOUR)
    shapes = episodes.shapes.of(table.where(mine), normal)

    def alike(machine: str) -> float:
        names = np.full(len(shapes), machine, dtype=object)
        return float(episodes.most_alike(shapes, names, table.time[mine], "failure").min())

    assert alike("another") > alike("mill-0") > LIKE
    nothing = episodes.most_alike(shapes, table.machine[mine], table.time[mine], "inspection")
    assert nothing.tolist() == [-1.0] * len(shapes)


def test_the_threshold_of_a_probability_is_no_higher_for_what_is_left_out() -> None:
    risk = learnt("flow", "power", task="failure_risk")

    assert risk.lone is not None
    assert risk.threshold <= risk.lone.threshold == risk.lone.sure
    found = said(risk, "flow", "power")
    assert (found.level > 0.5).all()


def test_a_failure_risk_that_is_sure_is_not_doubted(failing_in_power: Bundle) -> None:
    lone = failing_in_power.lone
    assert lone is not None
    assert lone.sure == float("inf"), "how strange a machine is says nothing of failures"
    before = lone.sure
    try:
        lone.sure = failing_in_power.threshold
        over, doubted = shares(said(failing_in_power, "flow"))
    finally:
        lone.sure = before

    assert (over > 0.9, doubted) == (True, 0.0), (over, doubted)


def test_a_look_at_the_sensor_is_asked_for_from_the_threshold_that_all_levels_had(innocent: Bundle) -> None:
    lone = innocent.lone
    assert lone is not None
    before = lone.threshold
    try:
        lone.threshold = 2.0
        found = said(innocent, "flow")
    finally:
        lone.threshold = before

    assert (found.reason == Reason.ONE_SIGNAL).mean() > 0.5
    assert found.alone is not None
    assert (found.alone == "").all()


def test_the_same_rows_are_told_the_same_in_any_company(innocent: Bundle) -> None:
    end = BEGIN + timedelta(days=DAYS)
    table = windows(2, signs=("flow",), before={"mill-4": end + HOUR})
    health = {
        name: Health(SIGNALS, np.unique(table.time), np.zeros((3, DAYS * 24), dtype=np.int8)) for name in MACHINES
    }

    def told(rows: "pd.Series[int] | np.ndarray[tuple[int], np.dtype[np.intp]]") -> list[object]:
        part = table.where(np.asarray(rows))
        return doubt_one_signal(assess_table(innocent, part), innocent, part, health).reason.tolist()

    last = np.flatnonzero(table.machine == "mill-4")[-20:]
    assert told(np.arange(len(table)))[-20:] == told(last)


def test_what_others_show_while_the_sensor_that_tells_of_stops_is_apart_is_a_matter_of_it(innocent: Bundle) -> None:
    running = Running(expression="flow > 5", signals=("flow",), settle=HOUR, hold=HOUR)
    told = replace(innocent, recipe=replace(RECIPE, running=running))
    believed, apart = said(told, "power", "pressure"), said(told, "power", "pressure", apart="flow")
    another = said(told, "power", "pressure", apart="pressure")

    assert shares(apart)[0] > 0.9, "it is a level over the threshold all the same"
    assert believed.alone is not None
    assert apart.alone is not None
    assert another.alone is not None
    assert (believed.alone == "").mean() > 0.7
    assert (apart.alone[apart.over] == "flow").all()
    assert (another.alone == "").mean() > 0.7, "it says nothing of when the machine runs"

"""How machines run: regimes found or declared, what they let expect, and what was never seen (FE-06, DQ-03)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.column import RESIDUAL
from features.table import FeatureTable
from features.usual import SIGNAL_FEATURES
from ingest.errors import NotEnoughDataError, PlantFileError
from ingest.event import Event, events_table
from ingest.plant import AlertSettings, Plant
from models.anomaly.level import AnomalyLevel
from models.anomaly.normal_by_regime import usual_alone
from models.assess import assess_table
from models.assessment import Assessments, Reason, reason_counts
from models.bundle import Bundle
from models.context.context import Context
from models.context.duties import Duties
from models.context.expected import Expected
from models.context.window_regime import MIXED, window_regimes
from models.explain import explain_row
from models.judging.backtest import backtest
from models.labels.label import label, target_events
from models.persistence import episodes
from models.registry.card import page
from models.registry.registry import Registry
from models.risk.failure_risk import FailureRisk
from models.train import train
from tests.features.table_history import TableHistory, after
from tests.models.mills import (
    BY_EXPRESSION,
    FAST,
    HOURS,
    MACHINES,
    SLOW,
    mill_bundle,
    mill_history,
    mill_plant,
    mill_table,
    orders,
)

LATER = HOURS + 10 * 24
NOW = datetime(2026, 4, 1, tzinfo=UTC)
PLAIN, FOUND, DECLARED = (
    mill_plant(operating=False),
    mill_plant(features=[*SIGNAL_FEATURES, RESIDUAL]),
    mill_plant(operating=False, regimes=BY_EXPRESSION),
)
START = np.datetime64("2026-01-01", "us")


def at_one_speed(*, moved: float | None = None, hotter: float = 0.0) -> TableHistory:
    """Mills 0 and 2 run slowly, 1 and 3 fast, mill 4 changes; after a while mill 0 runs otherwise, or hotter."""
    speed_of = {name: np.full(2 * LATER, (SLOW, FAST)[number % 2]) for number, name in enumerate(MACHINES[:4])}
    speed_of["mill-4"] = orders(4, hours=LATER)
    if moved is not None:
        speed_of["mill-0"] = np.where(np.arange(2 * LATER) < 2 * HOURS, SLOW, moved)
    heat = {"mill-0": np.where(np.arange(2 * LATER) < 2 * HOURS + 96, 0.0, hotter)}
    return mill_history(speed_of=speed_of, hotter=heat)


@pytest.fixture(scope="module")
def learnt() -> dict[str, Bundle]:
    """What is learnt from mills most of which run at one speed, by how it is said."""
    past = at_one_speed()
    return {
        name: mill_bundle(plant, past) for name, plant in (("plain", PLAIN), ("found", FOUND), ("declared", DECLARED))
    }


def judged(bundle: Bundle, plant: Plant, history: TableHistory) -> Assessments:
    """Return what a bundle says of mill 0 after what it learnt from."""
    _, table = mill_table(plant, history, hours=LATER)
    new = table.time > np.datetime64(after(hours=HOURS).replace(tzinfo=None))
    return assess_table(bundle, table.where(new & (table.machine == "mill-0")))


def test_two_duties_are_found_where_machines_run_at_two_speeds(learnt: dict[str, Bundle]) -> None:
    context = learnt["found"].context

    assert context is not None
    assert context.duties is not None
    assert (context.duties.means * context.duties.scale + context.duties.centre)[:, 0] == pytest.approx(
        [SLOW, FAST], rel=0.01
    )
    assert [name for name, share in context.shares.items() if share > 0.4] == ["duty 1", "duty 2"]


@pytest.mark.parametrize("shape", ["normal", "even", "skewed"])
def test_one_cloud_is_one_duty(shape: str) -> None:
    random = np.random.default_rng(3)
    cloud = {
        "normal": random.normal(100, 5, 600), "even": random.uniform(50, 100, 600), "skewed": random.gamma(4, 10, 600)
    }[shape]  # fmt: skip

    assert len(duties_of(cloud).means) == 1


def duties_of(*loads: NDArray[np.float64]) -> Duties:
    names = tuple(f"load{number}__mean__1h" for number in range(len(loads)))
    table = table_of(names, np.column_stack(loads))
    found = Duties.learn(table, tuple(name.split("__")[0] for name in names), ("1h",), np.arange(len(table)))
    assert found is not None
    return found


def table_of(names: tuple[str, ...], values: NDArray[np.float64], machines: int = 1) -> FeatureTable:
    """Return rows of some machines, as many of each."""
    rows = len(values) // machines
    machine = np.repeat(np.array([f"m{number}" for number in range(machines)], object), rows)
    time = np.tile(START + np.arange(rows) * np.timedelta64(1, "h"), machines)
    return FeatureTable(machine, time, names, values[: rows * machines], np.ones(rows * machines))


@pytest.mark.parametrize(("name", "plant"), [("found", FOUND), ("declared", DECLARED)])
def test_a_machine_that_only_changes_its_duty_raises_nothing(
    name: str, plant: Plant, learnt: dict[str, Bundle]
) -> None:
    moved = at_one_speed(moved=FAST)
    without = episodes(judged(learnt["plain"], PLAIN, moved), AlertSettings())
    said = judged(learnt[name], plant, moved)

    assert len(without) >= 1, "the contrast: without regimes it is an alarm"
    assert not episodes(said, AlertSettings())
    assert (said.reason == Reason.OK.value).mean() > 0.85, "and it is watched on"


@pytest.mark.parametrize(("name", "plant"), [("found", FOUND), ("declared", DECLARED)])
def test_what_is_wrong_is_seen_after_a_change_of_duty(name: str, plant: Plant, learnt: dict[str, Bundle]) -> None:
    found = episodes(judged(learnt[name], plant, at_one_speed(moved=FAST, hotter=3.0)), AlertSettings())

    assert len(found) == 1


@pytest.mark.parametrize(
    ("name", "plant", "speed"),
    [("found", FOUND, 2200.0), ("found", FOUND, 1250.0), ("declared", DECLARED, 2200.0)],
)
def test_a_duty_that_was_never_seen_is_out_of_domain_and_no_alarm(
    name: str, plant: Plant, speed: float, learnt: dict[str, Bundle]
) -> None:
    said = judged(learnt[name], plant, at_one_speed(moved=speed))

    assert (said.reason == Reason.OUT_OF_DOMAIN.value).all()
    assert np.isnan(said.level).all()


@pytest.mark.parametrize("order", [1.0, 10.0, -2200.0])
def test_an_order_that_never_was_anything_but_nothing_is_unseen_whatever_it_becomes(order: float) -> None:
    names = tuple(f"bypass__{feature}__1h" for feature in ("mean", "standard_deviation", "minimum", "maximum"))

    def table(value: float) -> FeatureTable:
        time = START + np.arange(100) * np.timedelta64(1, "h")
        values = np.tile([value, 0.0, value, value], (100, 1))
        return FeatureTable(np.full(100, "mill-0", object), time, names, values, np.ones(100))

    duties = Duties.learn(table(0.0), ("bypass",), ("1h",), np.arange(100))
    assert duties is not None

    assert duties.unseen(table(order), "1h").all()
    assert not duties.unseen(table(0.0), "1h").any()
    assert (duties.of(table(order), "1h") == 0).all()  # there is but one duty


def test_a_regime_of_which_too_little_was_seen_is_out_of_domain() -> None:
    speed = np.where(np.arange(2 * LATER) % 480 < 24, FAST, SLOW)
    history = mill_history(speed_of={name: speed if name == "mill-0" else speed * 0 + SLOW for name in MACHINES})
    bundle = mill_bundle(DECLARED, history)
    assert bundle.context is not None
    regimes = {each["name"]: each["known"] for each in bundle.card["context"]["regimes"]}

    assert regimes == {"slow": True, "fast": False, "other": False, MIXED: False}
    assert "out of domain: fast (" in page(bundle.card)
    assert reason_counts(judged(bundle, DECLARED, history).reason).get("out of domain", 0) > 0


def test_a_window_that_holds_much_of_an_unseen_duty_is_compared_with_nothing_afterwards(
    learnt: dict[str, Bundle],
) -> None:
    speed = np.full(2 * LATER, SLOW)
    speed[2 * HOURS + 100 : 2 * HOURS + 130] = 2200.0
    history = mill_history(speed_of={"mill-0": speed})
    said = judged(learnt["found"], FOUND, history)

    assert not episodes(said, AlertSettings())
    assert said.reason[0] == said.reason[-1] == Reason.OK.value


def test_machines_in_another_order_or_by_other_names_teach_the_same() -> None:
    recipe, table = mill_table(FOUND, mill_history())
    names = {name: f"other-{9 - number}" for number, name in enumerate(MACHINES)}
    other = replace(table, machine=np.array([names[name] for name in table.machine], object))
    other = other.where(np.lexsort((other.time, other.machine.astype(str))))
    healthy = np.ones(len(table), np.bool_)
    first, second = (Context.learn(recipe, each, healthy, hide_operating=True) for each in (table, other))
    assert first is not None
    assert second is not None
    back = np.lexsort((table.time, np.array([names[name] for name in table.machine]).astype(str)))

    seen, again = first.applied(table).values[back], second.applied(other).values
    assert np.array_equal(seen, again, equal_nan=True)
    assert first.shares == second.shares


@settings(max_examples=30, deadline=None)
@given(
    slope=st.lists(st.floats(-100, 100), min_size=2, max_size=2),
    offsets=st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3),
    bias=st.floats(-50, 50),
    seed=st.integers(0, 99),
)
def test_the_residual_of_a_linear_law_is_nothing_and_that_of_a_bias_its_size(
    slope: list[float], offsets: list[float], bias: float, seed: int
) -> None:
    inputs = np.random.default_rng(seed).uniform(0, 10, (180, 2))
    heat = inputs @ slope + np.repeat(offsets, 60)
    names = ("speed__mean__1h", "load__mean__1h", "heat__mean__1h")
    table = table_of(names, np.column_stack([inputs, heat]), machines=3)
    law = Expected.learn(table, ("heat",), ("speed", "load"), ("1h",))
    own = np.repeat(np.array(offsets) - np.median(offsets), 60)
    biased = replace(table, values=table.values + np.array([0, 0, bias]))

    assert law.of(table)[:, 0] == pytest.approx(own, abs=1e-9 * max(1, np.abs(heat).max()))
    assert law.of(biased)[:, 0] - law.of(table)[:, 0] == pytest.approx(np.full(180, bias), abs=1e-9)


def test_a_few_rows_far_off_bend_no_law() -> None:
    random = np.random.default_rng(1)
    speed = random.uniform(0, 10, 300)
    heat = 2 * speed + 0.1 * random.standard_normal(300)
    heat[::30] += 40 * speed[::30]
    table = table_of(("speed__mean__1h", "heat__mean__1h"), np.column_stack([speed, heat]))

    assert Expected.learn(table, ("heat",), ("speed",), ("1h",)).slope[0, 0] == pytest.approx(2, abs=0.05)


def test_the_residual_of_a_longer_window_is_the_mean_of_those_within_it() -> None:
    recipe, table = mill_table(FOUND, mill_history())
    context = Context.learn(recipe, table, np.ones(len(table), np.bool_), hide_operating=True)
    assert context is not None
    seen = context.applied(table)
    short, long = (seen.values[:, seen.names.index(f"temperature__residual__{span}")] for span in ("6h", "24h"))
    rows = np.flatnonzero((table.machine == "mill-1") & (table.time > START + np.timedelta64(10, "D")))[:-1]

    # A day is four windows of six hours, which end every third row; the last row is half an hour short of readings.
    means = np.mean([short[rows - back] for back in (0, 3, 6, 9)], axis=0)
    assert long[rows] == pytest.approx(means, abs=1e-9)


def test_an_alarm_says_what_the_other_signals_let_expect(learnt: dict[str, Bundle]) -> None:
    bundle = learnt["found"]
    _, table = mill_table(FOUND, at_one_speed(moved=FAST, hotter=4.1), hours=LATER)
    row = table.where(np.flatnonzero(table.machine == "mill-0")[-1:])
    _, evidence, sentence, *_ = explain_row(bundle, row, after(hours=LATER))

    assert evidence[0].signal == "temperature"
    assert evidence[0].actual - evidence[0].expected == pytest.approx(4.1, abs=0.3)
    assert "speed" not in {each.signal for each in evidence}
    if "given the other signals" in evidence[0].feature:
        assert "degC above what the other signals let expect" in sentence
    else:
        assert "degC above normal" in sentence


@pytest.mark.parametrize("name", ["found", "declared"])
def test_a_loaded_bundle_knows_the_same_of_how_machines_run(
    name: str, learnt: dict[str, Bundle], tmp_path: Path
) -> None:
    bundle, plant = learnt[name], {"found": FOUND, "declared": DECLARED}[name]
    registry = Registry(tmp_path)
    version = registry.save(bundle, created=NOW).version
    loaded = registry.load(bundle.entry.name, version)
    said, again = (judged(each, plant, at_one_speed(moved=1250.0)) for each in (bundle, loaded))

    assert said.level.tobytes() == again.level.tobytes()
    assert said.reason.tolist() == again.reason.tolist()
    assert registry.save(loaded, created=NOW).version == version


def test_where_nothing_is_declared_there_is_no_context(learnt: dict[str, Bundle]) -> None:
    bundle = learnt["plain"]

    assert bundle.context is None
    assert "context" not in bundle.card
    assert {"regimes", "operating"}.isdisjoint(bundle.recipe.to_dict())
    assert window_regimes(bundle.seen(mill_table(PLAIN, mill_history())[1])) is None


def test_a_failure_risk_sees_the_regime_and_never_blames_it() -> None:
    events = [
        Event(machine=name, kind="failure", time=after(hours=hour))
        for number, name in enumerate(MACHINES)
        for hour in range(150 + 20 * number, HOURS, 200)
    ]
    hotter = {}
    for number, name in enumerate(MACHINES):
        left = (150 + 20 * number - np.arange(2 * HOURS) / 2) % 200
        hotter[name] = np.where(left < 30, (30 - left) / 5, 0.0)
    plant = mill_plant(task="failure_risk", needed_lead="1 h")
    recipe, table = mill_table(plant, mill_history(hotter=hotter, events=events))
    targets = target_events(events_table(events), plant.models[0].target)
    labels = label(table, targets, timedelta(hours=24), after(hours=HOURS))
    context = Context.learn(recipe, table, labels == 0, hide_operating=False)
    assert context is not None
    seen = context.applied(table)
    risk = FailureRisk().fit(seen, labels, [])
    shares = risk.parts(seen.where(np.arange(0, len(seen), 20))).shares

    assert "speed" in risk.groups, "what a machine is told to do may foretell a failure"
    assert shares[:, risk.groups.index("regime_share")].max() == 0
    assert risk.groups[int(shares.sum(axis=0).argmax())] == "temperature"


def test_it_is_trained_judged_and_kept_from_end_to_end(tmp_path: Path) -> None:
    events = [Event(machine="mill-1", kind="failure", time=after(hours=hour)) for hour in (500, 850)]
    hot = np.zeros(2 * HOURS)
    hot[2 * 830 : 2 * 850] = 6.0
    history = mill_history(events=events, hotter={"mill-1": hot})
    report = train(FOUND, history, FOUND.models[0], Registry(tmp_path), now=NOW)

    assert "Regimes: duty 1 (speed 1000 1/min) 4" in report.summary()
    assert report.judged is not None
    assert report.judged.verdict.found == 1
    assert report.to_dict()["context"]["operating"] == ["speed"]


def test_a_backtest_learns_regimes_from_its_training_part_alone() -> None:
    speed_of = {name: np.where(np.arange(2 * HOURS) < 2 * 600, SLOW, FAST) for name in MACHINES}
    events = [Event(machine="mill-1", kind="failure", time=after(hours=hour)) for hour in (300, 850)]
    report = backtest(FOUND, mill_history(speed_of=speed_of, events=events), FOUND.models[0], start=after(hours=590))

    assert report.reasons["out of domain"] > 0.9 * sum(report.reasons.values())


def test_a_residual_of_a_lone_signal_is_refused_in_clear_words() -> None:
    plant = mill_plant(operating=False, signals=["temperature"], features=["mean", "residual"])
    with pytest.raises(PlantFileError, match="'residual' compares a signal with others; there is only one"):
        mill_table(plant, mill_history())
    with pytest.raises(PlantFileError, match="made of the feature 'mean'"):
        mill_table(mill_plant(features=["last", "residual"]), mill_history())


def test_windows_of_regimes_unknown_to_a_detector_have_no_level() -> None:
    _, table = mill_table(DECLARED, mill_history())
    blind = table.values.copy()
    blind[:, [place for place, name in enumerate(table.names) if name.startswith("regime_share")]] = np.nan
    healthy = np.zeros(len(table), np.int8)
    anomaly = AnomalyLevel().fit(table, healthy, [])

    assert np.isnan(anomaly.level(replace(table, values=blind))).all()
    with pytest.raises(NotEnoughDataError):
        AnomalyLevel().fit(replace(table, values=blind), healthy, [])


def test_normal_in_a_regime_that_a_machine_was_never_in_is_that_of_its_class_moved_by_its_own() -> None:
    random = np.random.default_rng(0)
    own, shares, values = [0.0, 5.0, -3.0], [], []
    for number, offset in enumerate(own):
        fast = np.arange(200) % 2 if number < 2 else np.zeros(200)
        shares.append(np.column_stack([1 - fast, fast]))
        values.append(10 * fast + offset + 0.01 * random.standard_normal(200))
    names = ("heat__mean__1h", "regime_share__slow__1h", "regime_share__fast__1h")
    table = table_of(names, np.column_stack([np.concatenate(values), np.concatenate(shares)]), machines=3)
    row = table.where(np.array([400]))
    turned = replace(row, values=np.array([[7.0, 0.0, 1.0]]))

    assert usual_alone(table).of(turned)[0, 0] == pytest.approx(10 - 3, abs=0.05)

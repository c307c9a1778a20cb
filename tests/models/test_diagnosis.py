from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from features.table import FeatureTable
from ingest.plant import Target
from models.anomaly.normal import normal_of
from models.labels.label import label, target_events
from models.moment import instants, span
from models.risk.diagnosis import UNKNOWN, Diagnosis
from models.why.shape import Shapes
from tests.models.modes import SHOWS, mills
from tests.models.pumps import BEGIN, HORIZON, worn_pumps

NONE = UNKNOWN[0]
"""How the component of the unknown is written."""

END, END_OF_PUMPS = BEGIN + timedelta(days=60), BEGIN + timedelta(days=20)


def learnt(table: FeatureTable, events: pd.DataFrame, end: datetime = END) -> Diagnosis:
    diagnosis = learnt_of(events, table, end)
    assert diagnosis is not None
    return diagnosis


def learnt_of(events: pd.DataFrame, table: FeatureTable, end: datetime = END) -> Diagnosis | None:
    targets = target_events(events, Target())
    labels = label(table, targets, HORIZON, end)
    healthy = table.where(labels == 0)
    normal = normal_of(healthy)
    shapes = Shapes.learn(healthy, normal, HORIZON)
    return Diagnosis.learn(table, labels, targets, span(HORIZON), normal, shapes)


def firsts(diagnosis: Diagnosis, table: FeatureTable, events: pd.DataFrame, *, hours: int = 6) -> list[tuple[str, str]]:
    """Return for each failure its mode and the first that is named so many hours before it."""
    targets = target_events(events, Target())
    found = []
    for machine, begin, modes in zip(
        targets["machine"], instants(targets["begin"]), targets["components"], strict=True
    ):
        row = np.flatnonzero((table.machine == machine) & (table.time <= begin - np.timedelta64(hours, "h")))[-1]
        found.append((modes[0], diagnosis.ranked(table.where(np.array([row])))[0][0].component))
    return found


@pytest.fixture(scope="module")
def three_modes() -> Diagnosis:
    """Ten failures each of three of the four modes: nobody has seen an impeller fail."""
    return learnt(*mills(["seal", "bearing", "winding"] * 10, seed=1))


def test_the_right_mode_comes_first_on_failures_that_were_never_seen(three_modes: Diagnosis) -> None:
    found = firsts(three_modes, *mills(["seal", "bearing", "winding"] * 12, seed=2))

    assert np.mean([mode == first for mode, first in found]) >= 0.85


@pytest.mark.parametrize("left_out", list(SHOWS))
def test_a_mode_that_was_never_seen_comes_out_as_unknown(left_out: str) -> None:
    known = [mode for mode in SHOWS if mode != left_out]
    diagnosis = learnt(*mills(known * 10, seed=3))
    found = firsts(diagnosis, *mills([left_out] * 24, seed=4))

    assert np.mean([first == NONE for _, first in found]) >= 0.75


def test_with_three_failures_of_each_mode_a_new_one_is_not_taken_for_one_of_them() -> None:
    diagnosis = learnt(*mills(["seal", "bearing", "winding"] * 3, seed=5))
    known = firsts(diagnosis, *mills(["seal", "bearing", "winding"] * 8, seed=6))
    table, events = mills(["impeller"] * 24, seed=7)
    new = firsts(diagnosis, table, events)

    assert np.mean([mode == first for mode, first in known]) >= 0.6
    assert np.mean([first == NONE for _, first in new]) >= 0.5


def test_the_one_mode_that_is_known_is_not_everything() -> None:
    diagnosis = learnt(*mills(["seal"] * 10, seed=8))
    found = firsts(diagnosis, *mills(["bearing"] * 12, seed=9))

    assert diagnosis.mode_component == ("seal",)
    assert np.mean([first == NONE for _, first in found]) >= 0.85


def test_modes_share_the_whole_probability_and_never_exceed_it(three_modes: Diagnosis) -> None:
    table, _ = mills(["seal", "impeller"], machines=2, days=20, seed=10)
    shares = three_modes.of_modes(table)

    assert three_modes.modes == (("bearing", ""), ("seal", ""), ("winding", ""), UNKNOWN)
    assert (shares >= 0).all()
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-12)


def test_ranks_descend_and_name_each_mode_once(three_modes: Diagnosis) -> None:
    table, _ = mills(["seal"], machines=1, days=10, seed=11)
    for ranked in three_modes.ranked(table)[::50]:
        assert sorted((each.component, each.code) for each in ranked) == sorted(three_modes.modes)
        assert [each.probability for each in ranked] == sorted((e.probability for e in ranked), reverse=True)


def test_unknown_is_never_named_as_a_component(three_modes: Diagnosis) -> None:
    table, _ = mills(["impeller"] * 12, seed=12)

    assert set(three_modes.named(table)) <= {"bearing", "seal", "winding", ""}
    assert len(three_modes.ranked(table.where(np.array([], dtype=int)))) == 0


def test_a_component_with_a_plus_in_its_name_is_one_component() -> None:
    table, events = worn_pumps()
    events["component"] = "gear+shaft"
    diagnosis = learnt(table, events, END_OF_PUMPS)

    assert (diagnosis.components, diagnosis.failures) == (("gear+shaft",), (len(target_events(events, Target())),))


def test_two_modes_of_one_component_are_told_apart_by_their_codes() -> None:
    table, events = worn_pumps(machines=8)
    leaking = np.arange(len(events)) % 2 == 0
    events["code"] = np.where(leaking, "leak", "wear")
    values = table.values.copy()
    for machine, time in events[leaking][["machine", "time"]].itertuples(index=False):
        near = (
            (table.machine == machine)
            & (table.time < time.tz_localize(None))
            & (table.time >= time.tz_localize(None) - pd.Timedelta(hours=36))
        )
        values[near, 3:5] += 1.0  # the pressure rises as well
    diagnosis = learnt_of(events, replace(table, values=values), END_OF_PUMPS)

    assert diagnosis is not None
    assert diagnosis.components == ("winding",)
    assert diagnosis.mode_code == ("leak", "wear")
    one = replace(table, values=values).where(np.flatnonzero(near)[-1:])
    (ranked,) = diagnosis.ranked(one)
    assert (ranked[0].component, ranked[0].code) == ("winding", "leak")
    assert sum(each.probability for each in ranked) == pytest.approx(1)


def test_a_mode_that_came_once_is_named_or_unknown_when_it_comes_again_and_taken_for_no_other() -> None:
    diagnosis = learnt(*mills([*["seal", "bearing"] * 6, "winding"], seed=13))
    first = [named for _, named in firsts(diagnosis, *mills(["winding"] * 24, seed=14))]

    assert diagnosis.failures == (6, 6, 1)
    assert np.mean([named in ("winding", NONE) for named in first]) >= 0.9
    assert np.mean([named == "winding" for named in first]) >= 0.3


def test_each_record_of_a_failure_counts_for_what_it_names() -> None:
    table, events = worn_pumps(machines=8)
    events["code"] = ["leak", "burst", *["wear"] * (len(events) - 2)]
    events.loc[events.index[-1], "component"] = "bearing"
    diagnosis = learnt(table, events, END_OF_PUMPS)

    modes = list(zip(diagnosis.mode_component, diagnosis.mode_code, diagnosis.mode_failures, strict=True))
    rest = len(target_events(events, Target())) - 3
    assert modes == [("bearing", "wear", 1), ("winding", "burst", 1), ("winding", "leak", 1), ("winding", "wear", rest)]


def test_without_a_component_the_code_is_the_mode() -> None:
    table, events = worn_pumps()
    events["component"], events["code"] = "", "F07"
    diagnosis = learnt_of(events, table, END_OF_PUMPS)

    assert diagnosis is not None
    (ranked,) = diagnosis.ranked(table.where(np.array([0])))
    assert (ranked[0].component, ranked[0].code) == ("", "F07")
    assert ranked[0].probability > 0.9
    assert diagnosis.named(table.where(np.array([0]))) == [""]

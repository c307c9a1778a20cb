from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from features.table import FeatureTable
from ingest.plant import Target
from models.diagnosis import Diagnosis
from models.label import label, target_events
from models.moment import span
from models.normal import normal_of
from tests.models.pumps import BEGIN, HORIZON, worn_pumps


def test_a_component_with_a_plus_in_its_name_is_one_component() -> None:
    table, events = worn_pumps()
    events["component"] = "gear+shaft"
    targets = target_events(events, Target())
    labels = label(table, targets, HORIZON, BEGIN + timedelta(days=20))
    diagnosis = Diagnosis.learn(table, labels, targets, span(HORIZON), normal_of(table.where(labels == 0)))

    assert diagnosis is not None
    assert (diagnosis.components, diagnosis.failures) == (("gear+shaft",), (len(targets),))


def learnt(events: pd.DataFrame, table: FeatureTable) -> Diagnosis | None:
    targets = target_events(events, Target())
    labels = label(table, targets, HORIZON, BEGIN + timedelta(days=20))
    return Diagnosis.learn(table, labels, targets, span(HORIZON), normal_of(table.where(labels == 0)))


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
    diagnosis = learnt(events, replace(table, values=values))

    assert diagnosis is not None
    assert diagnosis.components == ("winding",)
    assert diagnosis.mode_code == ("leak", "wear")
    one = replace(table, values=values).where(np.flatnonzero(near)[-1:])
    (ranked,) = diagnosis.ranked(one)
    assert (ranked[0].component, ranked[0].code) == ("winding", "leak")
    assert sum(each.probability for each in ranked) == pytest.approx(1)


def test_what_failed_too_seldom_is_told_by_its_component_or_not_at_all() -> None:
    table, events = worn_pumps(machines=8)
    events["code"] = ["leak", "burst", *["wear"] * (len(events) - 2)]
    events.loc[events.index[-1], "component"] = "bearing"
    diagnosis = learnt(events, table)

    assert diagnosis is not None
    modes = list(zip(diagnosis.mode_component, diagnosis.mode_code, strict=True))
    assert modes == [("", ""), ("winding", "wear")] or modes == [("", ""), ("winding", ""), ("winding", "wear")]
    assert sum(diagnosis.failures) == len(target_events(events, Target()))


def test_without_a_component_the_code_is_the_mode() -> None:
    table, events = worn_pumps()
    events["component"], events["code"] = "", "F07"
    diagnosis = learnt(events, table)

    assert diagnosis is not None
    (ranked,) = diagnosis.ranked(table.where(np.array([0])))
    assert (ranked[0].component, ranked[0].code, ranked[0].probability) == ("", "F07", 1.0)
    assert diagnosis.named(table.where(np.array([0]))) == [""]

from dataclasses import replace

import numpy as np
import pytest

from features.extract import extract
from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from models.anomaly.level import AnomalyLevel
from models.anomaly.normal import normal_of
from models.bundle import Bundle
from models.explain import described, evidence_of, explain, explain_row
from models.tasks.anomaly import UNUSUAL
from tests.features.table_history import TableHistory, after
from tests.models.pumps import FAILURES, START, pump_history

HOUR = np.timedelta64(1, "h")

DOOMED = "pump-0"
BEFORE = after(hours=FAILURES[DOOMED][2] - 4)
HEALTHY = after(hours=FAILURES[DOOMED][2] - 60)


def test_a_worn_pump_is_explained_by_cause_signal_numbers_and_time(seal_risk: Bundle, pumps: TableHistory) -> None:
    cause, evidence, sentence, *_ = explain(seal_risk, pumps, DOOMED, BEFORE)

    assert cause == "seal"
    assert (evidence[0].signal, evidence[0].unit, evidence[0].feature[:4]) == ("vibration", "mm/s", "4 h ")
    assert evidence[0].actual > evidence[0].expected + 1
    assert sentence.startswith("pump-0: seal ")
    assert "mm/s above normal" in sentence
    assert "no track record yet" in sentence
    assert "; act before 2" in sentence
    assert "nan" not in sentence


def test_a_signal_of_which_few_readings_came_stands_in_the_sentence(seal_risk: Bundle, pumps: TableHistory) -> None:
    row = extract(seal_risk.recipe, pumps, [DOOMED], BEFORE - seal_risk.recipe.stride, BEFORE)
    assert row.filled_by_signal is not None
    thin = row.filled_by_signal.copy()
    thin[0, row.signals.index("vibration")] = 0.41

    whole, said = (
        explain_row(seal_risk, replace(row, filled_by_signal=each), BEFORE).sentence
        for each in (row.filled_by_signal, thin)
    )

    assert said == f"{whole}. Of the expected readings there were few: vibration 41 %"


def test_the_track_record_of_the_card_stands_in_the_sentence(seal_risk: Bundle, pumps: TableHistory) -> None:
    judged = replace(seal_risk, card={**seal_risk.card, "judged": {"track_record": {"right": 7, "alerts": 9}}})

    assert "right 7 of 9 before" in explain(judged, pumps, DOOMED, BEFORE).sentence


def test_the_time_to_act_before_is_counted_from_the_begin_of_the_condition(
    seal_risk: Bundle, pumps: TableHistory
) -> None:
    began = after(hours=FAILURES[DOOMED][2] - 20)
    table = extract(seal_risk.recipe, pumps, [DOOMED], HEALTHY, BEFORE)

    assert explain(seal_risk, pumps, DOOMED, BEFORE, began=began) == explain_row(seal_risk, table, began)
    assert explain_row(seal_risk, table, began).sentence != explain_row(seal_risk, table, BEFORE).sentence


def test_an_anomaly_names_what_is_unlike_its_normal(strange_pump: Bundle) -> None:
    moved = pump_history(failures=False, later=3.0)
    cause, evidence, sentence, *_ = explain(strange_pump, moved, "pump-1", after(hours=520))

    assert cause == UNUSUAL
    assert evidence[0].signal == "vibration"
    assert evidence[0].actual - evidence[0].expected == pytest.approx(3.0, abs=0.5)
    assert sentence.startswith("pump-1 behaves unlike its normal: vibration")
    assert "% of its healthy time" in sentence


def test_normal_is_what_the_machine_itself_began_with_where_that_is_known(strange_pump: Bundle) -> None:
    names, values = ("vibration__mean__4h", "vibration__mean_shift__4h"), np.array([[7.0, 4.0]])
    row = FeatureTable(np.array(["new"], dtype=object), np.array([START]), names, values, np.ones(1))
    past = replace(row, machine=np.array(["old"] * 40, dtype=object), time=START + np.arange(40) * HOUR)
    random = np.random.default_rng(0)
    past = replace(past, values=random.standard_normal((40, 2)) * 0.1 + [1.0, 0.0], filled=np.ones(40))
    learner = AnomalyLevel().fit(past, np.zeros(40, dtype=np.int8), [])
    evidence = evidence_of(replace(strange_pump, learner=learner, normal=normal_of(past)), row, learner.parts(row))

    assert (evidence[0].actual, evidence[0].expected) == (7.0, 3.0)


def test_evidence_is_sorted_and_its_shares_are_parts_of_one(seal_risk: Bundle, pumps: TableHistory) -> None:
    table = extract(seal_risk.recipe, pumps, [DOOMED], HEALTHY, BEFORE)
    for row in range(len(table)):
        one = table.where(np.array([row]))
        evidence = evidence_of(seal_risk, one, seal_risk.learner.parts(one))
        shares = [each.share for each in evidence]

        assert shares == sorted(shares, reverse=True)
        assert sum(shares) <= 1 + 1e-9
        assert all(np.isfinite((each.actual, each.expected)).all() for each in evidence)


@pytest.mark.parametrize("hours", [4, 10, 60])
def test_contributions_add_up_to_the_level_that_is_told(seal_risk: Bundle, pumps: TableHistory, hours: int) -> None:
    at = after(hours=FAILURES[DOOMED][2] - hours)
    table = extract(seal_risk.recipe, pumps, [DOOMED], at - seal_risk.recipe.stride, at)
    why = explain(seal_risk, pumps, DOOMED, at).why

    assert why.base + sum(each.amount for each in why.contributions) == pytest.approx(why.score, abs=1e-6)
    assert 1 / (1 + np.exp(-why.score)) == pytest.approx(float(seal_risk.learner.level(table)[0]), abs=1e-6)
    assert why.contributions[-1].level == pytest.approx(why.level, abs=1e-6)


def test_the_worn_signal_lifts_the_level_from_that_of_a_healthy_machine(seal_risk: Bundle, pumps: TableHistory) -> None:
    why = explain(seal_risk, pumps, DOOMED, BEFORE).why
    worn = next(each for each in why.contributions if each.signal == "vibration")

    assert worn.amount > 1
    assert worn.unit == "mm/s"
    assert why.base_level < 0.2 < why.level


def test_a_sentence_names_the_failure_that_began_alike_and_only_one_that_is_over(
    seal_risk: Bundle, pumps: TableHistory
) -> None:
    told = explain(seal_risk, pumps, DOOMED, BEFORE)

    assert told.similar[0].component == "seal"
    assert "before its failure of 2026-0" in told.sentence
    assert all(each.begin < BEFORE for each in told.similar)
    assert [each.likeness for each in told.similar] == sorted((each.likeness for each in told.similar), reverse=True)


def test_a_moment_without_a_window_is_refused_by_name(seal_risk: Bundle, pumps: TableHistory) -> None:
    with pytest.raises(NotEnoughDataError, match="pump-0 has no window that ends at"):
        explain(seal_risk, pumps, DOOMED, after(hours=-100))


def test_every_column_of_a_recipe_can_be_put_into_words(seal_risk: Bundle) -> None:
    words = [described(name) for name in seal_risk.recipe.names]

    assert all(subject and feature for subject, _, feature in words)
    assert not any("__" in text for subject, _, feature in words for text in (subject, feature))

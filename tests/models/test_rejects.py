"""The probability of a reject, from the window in which a piece was made: right on later pieces, and it adds up."""

import numpy as np
import pytest

from features.table import FeatureTable
from models.conditions.deal import in_time
from models.conditions.level import ConditionLevel
from models.why.parts import log_odds
from tests.models.moulds import LIMIT, slow

PIECES, LEARNT = 3000, 2000
SIGNALS = ("mould temperature", "torque", "cycle time")


def made() -> tuple[FeatureTable, np.ndarray, np.ndarray]:
    """Return pieces in the order of production, whether each was rejected, and how likely that truly was."""
    random = np.random.default_rng(11)
    values = np.column_stack([slow(random, PIECES, 0.9) for _ in SIGNALS])
    values[:, 0] = LIMIT + 4 * values[:, 0]
    true = np.where(values[:, 0] < LIMIT - 2, 0.3, 0.04)
    table = FeatureTable(
        machine=np.full(PIECES, "press-1", object),
        time=np.datetime64("2026-01-05", "us") + np.arange(PIECES).astype("timedelta64[m]"),
        names=tuple(f"{name}__last__1min" for name in SIGNALS),
        values=values,
        filled=np.ones(PIECES),
    )
    return table, random.random(PIECES) < true, true


@pytest.fixture(scope="module")
def told() -> tuple[ConditionLevel, FeatureTable, np.ndarray, np.ndarray]:
    """Return a model of the earlier pieces, and the later ones with what became of them and their true chance."""
    table, rejected, true = made()
    early = np.arange(LEARNT)
    learner = ConditionLevel(["good", "reject"], 1, units={"mould temperature": "degC"})
    own = table.where(early)
    learner.fit(own, rejected[early].astype(np.int8), in_time(own.time, 3))
    later = np.arange(LEARNT, PIECES)
    return learner, table.where(later), rejected[later], true[later]


def test_among_later_pieces_as_many_are_rejected_as_was_said(
    told: tuple[ConditionLevel, FeatureTable, np.ndarray, np.ndarray],
) -> None:
    learner, later, rejected, _ = told

    level = learner.level(later)

    parts = np.array_split(np.argsort(level, kind="stable"), 10)
    off = sum(len(part) * abs(level[part].mean() - rejected[part].mean()) for part in parts) / len(level)
    assert off <= 0.05
    assert level.mean() == pytest.approx(rejected.mean(), abs=0.03)


def test_pieces_made_cold_are_said_to_be_rejected_as_often_as_they_truly_are(
    told: tuple[ConditionLevel, FeatureTable, np.ndarray, np.ndarray],
) -> None:
    learner, later, _, true = told

    level = learner.level(later)

    assert level[true > 0.1].mean() == pytest.approx(0.3, abs=0.08)
    assert level[true < 0.1].mean() == pytest.approx(0.04, abs=0.03)


def test_what_the_signals_add_makes_up_the_probability_and_the_cold_one_adds_most(
    told: tuple[ConditionLevel, FeatureTable, np.ndarray, np.ndarray],
) -> None:
    learner, later, _, true = told
    cold = later.where(np.flatnonzero(true > 0.1)[:20])

    parts = learner.parts(cold)

    assert parts.base + parts.by_group.sum(axis=1) == pytest.approx(log_odds(learner.level(cold)), abs=1e-6)
    strongest = [learner.groups[place] for place in parts.by_group.argmax(axis=1)]
    assert strongest.count("mould temperature") >= 19

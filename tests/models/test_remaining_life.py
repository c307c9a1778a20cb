"""Remaining life of fans that wear: what is said, how sure it is, and when nothing is said."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from models.assess import assess_table
from models.assessment import Reason
from models.bundle import Bundle
from models.explain import explain_row
from models.fit import fit_bundle
from models.judging.prognostic import coverage, rmse
from models.life.learner import RemainingLife
from models.life.life import LEVELS
from models.life.lives import Lives
from models.moment import as_datetime
from models.registry.card import page
from models.registry.registry import Registry
from models.rows import machine_rows
from tests.features.table_history import TableHistory, after
from tests.models.fans import LONGEST, MACHINES, fan_history, fan_plant, fan_table, life_of

HELD = 6
PLANT = fan_plant(held=HELD)


def fitted(history: TableHistory, few: int = len(MACHINES)) -> tuple[Bundle, FeatureTable]:
    recipe, table = fan_table(PLANT, history)
    table = table.where(np.isin(table.machine.astype(str), MACHINES[:few]))
    return fit_bundle(
        PLANT.models[0], PLANT, recipe, table, history.events(machines=PLANT.teachers_of("fan")), after(hours=LONGEST)
    ), table


@pytest.fixture(scope="module")
def fans() -> tuple[Bundle, FeatureTable]:
    return fitted(fan_history())


@pytest.fixture(scope="module")
def unseen(fans: tuple[Bundle, FeatureTable]) -> FeatureTable:
    from features.extract import extract

    begin = datetime(2000, 1, 1, tzinfo=UTC)
    return extract(fans[0].recipe, fan_history(), MACHINES[-HELD:], begin, after(hours=LONGEST))


def true_hours(table: FeatureTable) -> np.ndarray:
    return np.concatenate(
        [
            life_of(MACHINES.index(name))
            - (table.time[rows] - np.datetime64(after(hours=0).replace(tzinfo=None))) / np.timedelta64(1, "h")
            for name, rows in machine_rows(table.machine).items()
        ]
    )


def test_lives_of_machines_unseen_are_told_with_an_honest_interval(
    fans: tuple[Bundle, FeatureTable], unseen: FeatureTable
) -> None:
    learner = fans[0].learner
    assert isinstance(learner, RemainingLife)
    found, true = learner.life(unseen), true_hours(unseen)
    worn = true <= 40
    middle = np.minimum(found[:, LEVELS.index(0.5)], learner.reach)

    assert rmse(middle[worn], true[worn]) < 10
    assert coverage(found[worn, 0], found[worn, -1], true[worn]).value >= 0.8


def test_nothing_is_said_while_nothing_degrades_but_there_is_a_level(
    fans: tuple[Bundle, FeatureTable], unseen: FeatureTable
) -> None:
    said = assess_table(fans[0], unseen)
    true = true_hours(unseen)
    ok, quiet = said.reason == Reason.OK.value, said.reason == Reason.NOT_DEGRADING.value

    assert said.life is not None
    assert quiet[true > 80].mean() > 0.5
    assert not quiet[true < 20].any()
    assert np.isfinite(said.level[ok | quiet]).all()
    assert np.isnan(said.life[quiet]).all()
    assert (said.level[quiet] < 0.1).all()
    assert all(
        (life is None) == (reason != Reason.OK.value) for life, reason in zip(said.lives(), said.reason, strict=True)
    )


def test_the_level_is_the_probability_of_a_failure_within_the_horizon(
    fans: tuple[Bundle, FeatureTable], unseen: FeatureTable
) -> None:
    level, soon = fans[0].learner.level(unseen), true_hours(unseen) <= 24

    assert level.mean() == pytest.approx(soon.mean(), abs=0.05)
    assert level[soon].mean() > 10 * level[true_hours(unseen) > 60].mean()


def test_the_sentence_tells_the_three_numbers(fans: tuple[Bundle, FeatureTable], unseen: FeatureTable) -> None:
    true = true_hours(unseen)
    row = unseen.where(np.flatnonzero(true == 20)[:1])
    told = explain_row(fans[0], row, as_datetime(row.time[0]))

    assert "remaining life" in told.sentence
    assert "(10 %: " in told.sentence
    assert told.evidence[0].signal == "current"


def test_one_is_to_act_before_the_life_may_end_that_the_sentence_tells(
    fans: tuple[Bundle, FeatureTable], unseen: FeatureTable
) -> None:
    bundle, true = fans[0], true_hours(unseen)
    began = unseen.where(np.flatnonzero(true == 20)[:1])
    now = unseen.where(np.flatnonzero(true == 3)[:1])
    low = bundle.learner.life(now)[0, LEVELS.index(0.1)]  # type: ignore[attr-defined]
    told = explain_row(bundle, now, as_datetime(began.time[0]))

    at = as_datetime(now.time[0])
    assert at <= told.act_before <= at + max(timedelta(0), timedelta(hours=low) - bundle.entry.needed_lead)
    assert told.act_before < as_datetime(began.time[0]) + bundle.act_within
    assert told.act_before.strftime("%H:%M") in told.sentence


def test_the_card_says_how_far_lives_are_told_and_how_that_was_chosen(fans: tuple[Bundle, FeatureTable]) -> None:
    life = fans[0].card["life"]

    assert life["reach"] == fans[0].learner.reach in life["tried"]
    assert life["ended"] == len(MACHINES) - HELD


def test_it_can_be_kept_and_says_the_same_when_loaded(
    fans: tuple[Bundle, FeatureTable], unseen: FeatureTable, tmp_path: Path
) -> None:
    registry = Registry(tmp_path)
    saved = registry.save(fans[0], created=datetime(2026, 1, 1, tzinfo=UTC))
    loaded = registry.load(saved.model, saved.version)

    assert np.array_equal(loaded.learner.level(unseen), fans[0].learner.level(unseen))
    assert np.array_equal(assess_table(loaded, unseen).life, assess_table(fans[0], unseen).life, equal_nan=True)
    (page,) = tmp_path.glob(f"*/{saved.version}/card.md")
    assert "Lives are told up to" in page.read_text()


@pytest.mark.slow(seconds=4)
def test_the_same_data_give_the_same_model_byte_for_byte(tmp_path: Path) -> None:
    created = datetime(2026, 1, 1, tzinfo=UTC)
    first, again = (
        Registry(tmp_path / name).save(fitted(fan_history(), few=3)[0], created=created) for name in ("a", "b")
    )

    assert first.version == again.version


@pytest.mark.slow(seconds=8)
def test_machines_that_were_stopped_in_time_do_not_shorten_lives(
    fans: tuple[Bundle, FeatureTable], unseen: FeatureTable
) -> None:
    stopped, _ = fitted(fan_history(stopped=tuple(range(0, 18, 3))))
    before, after_all = (each.learner.life(unseen)[:, LEVELS.index(0.5)] for each in (fans[0], stopped))
    true = true_hours(unseen)
    middle = (true > 10) & (true < 50)
    reach = min(fans[0].learner.reach, stopped.learner.reach)

    assert np.minimum(after_all, reach)[middle].mean() > np.minimum(before, reach)[middle].mean() - 3


def test_where_one_machine_alone_failed_a_life_is_told_and_the_card_says_that_its_intervals_are_guesses() -> None:
    history = fan_history(stopped=tuple(range(1, len(MACHINES))))

    bundle, table = fitted(history)
    life = bundle.card["life"]

    assert (life["ended"], life["lives"], life["errors"]) == (1, 0, [])
    assert "the intervals are guesses" in page(bundle.card)
    assert np.isfinite(bundle.learner.level(table)).all()


def test_a_history_without_a_failure_is_refused_with_what_would_be_right() -> None:
    with pytest.raises(NotEnoughDataError, match="task = 'anomaly'"):
        fitted(fan_history(until=40))


def test_a_horizon_longer_than_the_history_is_refused_with_what_would_be_right(
    fans: tuple[Bundle, FeatureTable],
) -> None:
    table, lives = fans[1], np.arange(len(fans[1]))
    learner = RemainingLife(timedelta(hours=400))
    learner.told(Lives(np.ones(len(table)), np.ones(len(table), np.bool_), lives))

    with pytest.raises(NotEnoughDataError, match=r"horizon of 400 h .* choose a shorter horizon"):
        learner.fit(table, np.ones(len(table), np.int8), [])

"""Conditions: learnt from inspected pieces, judged on unseen ones, kept and used as any other model."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from ingest.errors import NotEnoughDataError
from ingest.event import Event
from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal
from models.assess import assess_table
from models.believed import believed, explained
from models.conditions.pieces import Pieces
from models.conditions.report import ConditionReport, Judged, watermark
from models.conditions.train import Shop, judge_conditions
from models.judging.judged import dealt_at_random
from models.registry.card import page
from models.registry.promotion import hindrance
from models.registry.registry import Registry
from models.train import TrainReport, train
from tests.features.table_history import TableHistory, after, readings_frame

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PIECES = 240
SIGNALS = ("force", "speed", "noise")


def press_entry(**fields: object) -> ModelEntry:
    given = fields.pop("condition", {"good": ["ok"]})
    return ModelEntry.model_validate(
        {
            "name": "quality",
            "task": "condition",
            "class": "press",
            "horizon": "0 s",
            "windows": ["1 min"],
            "target": {"kind": "inspection"},
            "condition": given,
            **fields,
        }
    )


PLANT = Plant(
    name="Shop",
    classes=[
        MachineClass(
            name="press",
            signals=[
                Signal(name=name, unit=unit, every="1 min")
                for name, unit in zip(SIGNALS, ("N", "m/s", ""), strict=True)
            ],
        )
    ],
    machines=[Machine(name="press", machine_class="press")],
    models=[press_entry()],
)


def history(*, told: bool = True) -> TableHistory:
    """Pieces that are bad where force times speed, their power, is beyond a limit; or whatever they are."""
    random = np.random.default_rng(5)
    values = random.uniform(1, 3, (PIECES, 3))
    power = values[:, 0] * values[:, 1]
    codes = np.where(power > 5.5, "burnt", np.where(power < 2.2, "cold", "ok"))
    if not told:
        codes = random.permutation(codes)
    minutes = np.arange(1, PIECES + 1)
    readings = readings_frame("press", minutes, **dict(zip(SIGNALS, values.T, strict=True)))
    events = [
        Event(machine="press", kind="inspection", time=after(minutes=int(minute)), code=str(code))
        for minute, code in zip(minutes, codes, strict=True)
    ]
    return TableHistory(readings, events)


@pytest.fixture(scope="module")
def presses() -> TableHistory:
    return history()


@pytest.fixture(scope="module")
def trained(presses: TableHistory, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainReport, Registry]:
    registry = Registry(tmp_path_factory.mktemp("models"))
    return train(PLANT, presses, press_entry(), registry, now=NOW), registry


def test_what_two_signals_make_together_is_found(trained: tuple[TrainReport, Registry]) -> None:
    found = trained[0].judged
    assert found is not None
    report = found.to_dict()

    assert report["judged"] == PIECES - report["learnt"]
    assert report["accuracy"]["value"] > 0.85 > report["usual_accuracy"]
    assert report["roc_auc"]["value"] > 0.95
    assert report["cost_per_piece"]["value"] < report["usual_cost_per_piece"]


def test_a_version_comes_back_from_the_registry_and_says_the_same(
    trained: tuple[TrainReport, Registry], presses: TableHistory
) -> None:
    report, registry = trained
    bundle = registry.load("quality", report.version)
    shop = Shop.of(PLANT, presses, press_entry())

    said = assess_table(bundle, shop.table)
    shares = bundle.learner.probabilities(shop.table)  # type: ignore[attr-defined]

    assert report.live
    np.testing.assert_allclose(said.level, 1 - shares[:, 0], atol=1e-5)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    bad = shop.pieces.code >= shop.pieces.good
    assert said.level[bad].min() > said.level[~bad].mean()
    assert bundle.card["conditions"]["codes"]["ok"] == int((~bad).sum())
    assert bundle.threshold == 0.5


def test_the_service_scores_it_and_says_which_signals_speak(
    trained: tuple[TrainReport, Registry], presses: TableHistory
) -> None:
    bundle = trained[1].load("quality")
    levels = believed(PLANT, presses, bundle, ["press"], after(minutes=0), after(minutes=PIECES))
    worst = int(np.nanargmax(levels.level))

    told = explained(PLANT, presses, bundle, "press", after(minutes=worst + 1))

    assert len(levels) == PIECES
    assert told.cause in ("burnt", "cold")
    assert {each.signal for each in told.evidence[:2]} <= {"force", "speed"}
    assert "not good with" in told.sentence


@pytest.mark.slow(seconds=10)
def test_the_same_pieces_give_the_same_version(
    trained: tuple[TrainReport, Registry], presses: TableHistory, tmp_path: Path
) -> None:
    again = train(PLANT, presses, press_entry(), Registry(tmp_path), now=NOW)

    assert again.version == trained[0].version


@pytest.mark.slow(seconds=10)
def test_codes_that_signals_say_nothing_of_are_not_promoted(tmp_path: Path) -> None:
    report = train(PLANT, history(told=False), press_entry(), Registry(tmp_path), now=NOW)

    assert not report.live
    assert report.judged is not None


def test_a_random_split_marks_report_card_and_page_and_is_not_promoted(trained: tuple[TrainReport, Registry]) -> None:
    asked = press_entry(split="random", condition={"good": ["ok"], "random_because": "pieces are alike"})
    mark = watermark(asked)
    card = {**trained[1].card("quality", trained[0].version), "watermark": mark}
    report = trained[0].judged

    assert isinstance(report, ConditionReport)
    assert "pieces are alike" in mark
    assert watermark(dealt_at_random(press_entry())).startswith("a RANDOM SPLIT dealt the pieces out (asked for")
    assert replace(report, watermark=mark).summary().startswith("NOT TO BE RELIED ON: a RANDOM SPLIT")
    assert f"**NOT TO BE RELIED ON: {mark}.**" in page(card)
    assert hindrance(card) == mark


def test_a_split_by_time_bears_no_mark(trained: tuple[TrainReport, Registry]) -> None:
    card = trained[1].card("quality", trained[0].version)

    assert "RANDOM" not in page(card)
    assert "by time" in page(card)


def test_what_does_not_beat_saying_the_same_of_all_stays_out() -> None:
    def against(low: float, saved: float) -> str:
        judged = {"judged": 100, "cost_per_piece": {"value": 0.2}, "usual_cost_per_piece": 0.2 + saved}
        interval = {"value": saved, "low": low, "high": saved + 0.1}
        return hindrance({"currency": "EUR", "conditions": {"judged": {**judged, "saved_per_piece": interval}}})

    assert "does not beat" in against(-0.1, 0.0)
    assert "between -0.02 and 0.2: that may be luck" in against(-0.02, 0.1)
    assert not against(0.02, 0.1)


def test_a_card_from_before_savings_had_intervals_is_to_be_trained_again() -> None:
    assert "train it again" in (hindrance({"currency": "EUR", "conditions": {"judged": {"judged": 100}}}) or "")


@pytest.mark.parametrize("seed", range(8))
def test_codes_that_have_nothing_to_do_with_the_readings_are_no_reason_to_promote(seed: int) -> None:
    random = np.random.default_rng(seed)
    said, code = random.integers(0, 2, (2, 70))
    shares = np.eye(2)[said]
    entry = press_entry(condition={"good": ["ok"]})
    pieces = Pieces(np.arange(70), ("ok", "burnt"), 1, code, np.arange(70))
    report = ConditionReport.of(entry, pieces, [Judged(code, shares, said, np.zeros(70, np.intp))], 100)

    assert hindrance({"currency": "EUR", "conditions": {"judged": report.to_dict()}})


def test_pieces_that_nobody_inspected_are_assessed_and_not_learnt_from(presses: TableHistory) -> None:
    few = TableHistory(presses.readings, [])
    few.known_events = presses.known_events.iloc[::2]

    shop = Shop.of(PLANT, few, press_entry())

    assert len(shop.table) == PIECES
    assert len(shop.pieces) == PIECES // 2
    assert (np.diff(shop.pieces.rows) == 2).all()


def test_what_is_recorded_after_a_time_is_not_known_before_it(presses: TableHistory) -> None:
    shop = Shop.of(PLANT, presses, press_entry(), after(minutes=100))

    assert len(shop.pieces) == 100


def test_pieces_of_one_code_teach_nothing(presses: TableHistory) -> None:
    few = TableHistory(presses.readings, [])
    few.known_events = presses.known_events[presses.known_events["code"] == "ok"]

    with pytest.raises(NotEnoughDataError, match=r"all .* are 'ok'"):
        Shop.of(PLANT, few, press_entry())
    with pytest.raises(NotEnoughDataError, match="no inspection records 'fine'; recorded are: burnt, cold, ok"):
        Shop.of(PLANT, presses, press_entry(condition={"good": ["fine"]}))


def test_good_codes_come_first_and_the_most_frequent_is_good_when_none_is_named(presses: TableHistory) -> None:
    table = Shop.of(PLANT, presses, press_entry()).table
    events = presses.known_events

    named = Pieces.of(press_entry(condition={"good": ["cold", "ok"]}), table, events)
    watched = Pieces.of(press_entry(condition={"watched": ["cold"]}), table, events)
    unnamed = Pieces.of(press_entry(condition={}), table, events)

    assert (named.codes, named.good) == (("cold", "ok", "burnt"), 2)
    assert (watched.codes, watched.good) == (("burnt", "ok", "cold"), 2)
    assert (unnamed.codes[0], unnamed.good) == ("ok", 1)


def test_a_split_by_time_judges_later_pieces_only(presses: TableHistory) -> None:
    entry = press_entry(train_until=after(minutes=200))

    report = judge_conditions(PLANT, presses, entry)

    assert (report.learnt, report.judged) == (200, PIECES - 200)

"""A model that must not be used is refused, whatever its figures look like, and says why."""

from pathlib import Path

import pytest

from ingest.errors import RegistryError
from models.registry.card import page
from models.registry.promotion import hindrance
from models.registry.registry import Registry
from models.train import train
from tests.features.table_history import TableHistory
from tests.models.pumps import PLANT, pump_entry
from tests.trials.refused import NOW, by_chance, noise

CARD = {"currency": "EUR", "judged": {"events": 9, "money": {"model": 3_000.0, "calendar": 4_000.0}}}


@pytest.mark.slow(seconds=6)
def test_a_model_on_noise_is_refused(tmp_path: Path) -> None:
    outcome = noise(1_003, tmp_path)

    assert outcome.refused
    assert outcome.named, "it beats neither the calendar nor luck"


@pytest.mark.slow(seconds=4)
def test_a_model_judged_at_random_is_marked_on_report_card_and_page_and_cannot_be_promoted(
    pumps: TableHistory, tmp_path: Path
) -> None:
    registry = Registry(tmp_path)
    report = train(PLANT, pumps, pump_entry(task="anomaly"), registry, now=NOW, random_split=True)
    card = registry.card("seal risk", report.version)

    assert report.judged is not None
    assert report.judged.summary().startswith("NOT TO BE RELIED ON: judged on a random split")
    assert report.judged.to_dict()["split"] == card["judged"]["split"] == "random"
    assert "random split" in card["watermark"]
    assert "**NOT TO BE RELIED ON: judged on a random split" in page(card)

    assert not report.live
    assert "random split" in report.hindrance
    with pytest.raises(RegistryError, match="random split"):
        registry.promote("seal risk", report.version, at=NOW, by="me", why="I like it")


@pytest.mark.parametrize(
    ("low", "refused"),
    [(-500.0, True), (0.0, True), (1.0, False)],
)
def test_a_saving_that_may_be_luck_is_refused(low: float, refused: bool) -> None:
    saved = {"calendar": {"value": 1_000.0, "low": low, "high": 2_500.0}}

    why = hindrance({**CARD, "judged": {**CARD["judged"], "saved": saved}})  # type: ignore[dict-item]

    assert bool(why) == refused
    assert not refused or "may be luck" in why


def test_alerts_by_chance_are_hardly_ever_taken_for_a_saving(tmp_path: Path) -> None:
    outcomes = [by_chance(seed, tmp_path) for seed in range(40)]

    assert sum(each.refused for each in outcomes) >= 38

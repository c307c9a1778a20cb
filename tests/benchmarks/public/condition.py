"""Protocol of conditions: every model of a plant file judged on pieces that it had not seen, as its split says."""

from datetime import UTC, datetime
from pathlib import Path

from ingest.plant import ModelEntry, Plant
from ingest.plant_file import load_plant
from ingest.sources.files import ingest_files
from ingest.store import Store
from models.conditions.judge import judge
from models.conditions.report import ConditionReport
from models.conditions.train import Shop
from models.judging.interval import Interval
from tests.benchmarks.public.row import Row

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def rows(plant: Path) -> list[Row]:
    """Return the figures of all models of conditions of a plant file."""
    loaded = load_plant(plant)
    store = Store(loaded.data_folder)
    try:
        ingest_files(loaded, store, now=NOW)
        entries = [entry for entry in loaded.models if entry.task == "condition"]
        return [row for entry in entries for row in _rows(plant.stem, loaded, store, entry)]
    finally:
        store.close()


def _rows(stem: str, plant: Plant, store: Store, entry: ModelEntry) -> list[Row]:
    shop = Shop.of(plant, store, entry)
    report = judge(entry, plant, shop.table, shop.pieces)
    protocol = _protocol(report, entry)
    found = [
        ("accuracy, %", _percent(report.accuracy)),
        ("ROC-AUC of not good", report.ranking),
        ("PR-AUC of not good", report.precision),
        ("reliability error", Interval(report.reliability, float("nan"), float("nan"))),
    ]
    if entry.condition.mistakes:
        found.append(("cost a piece", report.cost))
    return [
        Row(stem, protocol, f"{entry.name}: {figure}", each.value or float("nan"), each.low, each.high)
        for figure, each in found
    ]


def _protocol(report: ConditionReport, entry: ModelEntry) -> str:
    if entry.split == "random":
        dealt = f", {report.repeats} times" if report.repeats > 1 else ""
        return f"RANDOM SPLIT, 5 folds stratified{dealt}; {report.judged:,} pieces"
    if entry.split == "time":
        return f"by time: learnt from the first {report.learnt:,} pieces, judged on the last {report.judged:,}"
    return f"5 folds by {entry.split}; {report.judged:,} pieces"


def _percent(interval: Interval) -> Interval:
    return Interval(100 * (interval.value or 0.0), 100 * interval.low, 100 * interval.high)

"""What models of conditions are worth inside their training part, to choose defaults by: what judges them stays unseen.

``python -m tests.benchmarks.public.inside [--data DIR] PLANT…`` takes the pieces that the first model of the benchmark
learns from, deals them out once more as the plant file's split says, and judges there. Pieces that the benchmark judges
that model on are not looked at. By time the first 60 % of them teach.
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from ingest.plant import ModelEntry, Plant
from ingest.plant_file import load_plant
from ingest.sources.files import ingest_files
from ingest.store import Store
from models.conditions.judge import deals, judge
from models.conditions.report import ConditionReport
from models.conditions.train import Shop
from tests.benchmarks.public.plant_copy import copied

PLANTS = Path(__file__).parents[2] / "plants"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def judged_inside(plant: Plant, entry: ModelEntry, shop: Shop) -> ConditionReport:
    """Judge a model on pieces of the training part of the first fold that the benchmark judges."""
    training = shop.pieces.where(deals(entry, shop.table, shop.pieces)[0][0].train)
    return judge(entry.model_copy(update={"train_until": None}), plant, shop.table, training)


def main() -> None:
    """Print a summary of each model."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.public.inside", description=__doc__)
    parser.add_argument("plants", nargs="+", help="plant files by stem")
    parser.add_argument("--data", type=Path, help="folder of the public data; ../shared/data when left out")
    asked = parser.parse_args()
    for stem in asked.plants:
        with tempfile.TemporaryDirectory() as folder:
            plant = load_plant(copied(PLANTS / f"{stem}.toml", Path(folder), asked.data))
            store = Store(plant.data_folder)
            try:
                ingest_files(plant, store, now=NOW)
                for entry in (each for each in plant.models if each.task == "condition"):
                    shop = Shop.of(plant, store, entry)
                    began = time.perf_counter()
                    report = judged_inside(plant, entry, shop)
                    print(f"{stem}: {report.summary()} {time.perf_counter() - began:.0f} s\n", flush=True)
            finally:
                store.close()


if __name__ == "__main__":
    main()

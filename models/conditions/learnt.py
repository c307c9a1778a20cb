"""Learn conditions from some pieces: with the folds that the plant file's split asks for."""

import numpy as np

from features.table import FeatureTable
from ingest.errors import NotEnoughDataError
from ingest.plant import ModelEntry, Plant
from ingest.plant_names import names_in
from models.conditions.deal import MOST_TRIED, at_random, by_group, in_time
from models.conditions.level import ConditionLevel
from models.conditions.pieces import Pieces
from models.judging.split import Fold

SEED = 0


def learnt(entry: ModelEntry, plant: Plant, table: FeatureTable, pieces: Pieces) -> ConditionLevel:
    """Return what is learnt from some pieces of a table, and nothing else of it.

    Raises
    ------
    NotEnoughDataError
        When all of them have the same code.
    """
    seen = np.unique(pieces.code)
    if len(seen) < 2:
        raise NotEnoughDataError(
            f"model '{entry.name}': all {len(pieces):,} pieces to learn from are {pieces.codes[seen[0]]!r}; conditions"
            " are learnt from pieces of two codes or more"
            if len(seen)
            else f"model '{entry.name}': no piece to learn from was inspected"
        )
    machine_class = plant.class_named(entry.machine_class)
    asked = entry.condition
    own = table.where(pieces.rows)
    learner = ConditionLevel(
        pieces.codes,
        pieces.good,
        mistakes=[(each.was, each.said, each.costs) for each in asked.mistakes],
        histograms=[names_in(each.signals, "signals") for each in machine_class.histograms],
        units={signal.name: signal.unit for signal in machine_class.signals},
        seed=SEED,
    )
    return learner.fit(own, pieces.code.astype(np.int8), inner_folds(entry, own, pieces))


def inner_folds(entry: ModelEntry, own: FeatureTable, pieces: Pieces) -> list[Fold]:
    """Return the folds inside a training part by which its model is chosen and calibrated, split as it is judged.

    Parameters
    ----------
    own : the rows of the pieces
    """
    if entry.split == "random":
        return at_random(pieces.code, MOST_TRIED, SEED)
    if entry.split in ("group", "machine"):
        return by_group(pieces.code, pieces.group, MOST_TRIED, SEED)
    return in_time(own.time, MOST_TRIED)

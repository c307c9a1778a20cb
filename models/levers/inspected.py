"""Lots of inspected pieces: one piece each, as a model of conditions sees them."""

from dataclasses import replace
from datetime import datetime

import numpy as np

from features.recipe import Recipe
from ingest.history import History
from ingest.plant import ModelEntry, Plant
from models.conditions.train import Shop
from models.levers.lots import Lots
from models.moment import instant


def inspected_lots(
    plant: Plant, history: History, entry: ModelEntry, start: datetime, end: datetime, machine: str | None = None
) -> tuple[Lots, Recipe]:
    """Return the pieces that were inspected in (start, end]; rejects are those whose code is not good.

    Where the entry deals pieces out at random they have no order in time: they are put into one that chance chose.

    Parameters
    ----------
    machine : only this one

    Raises
    ------
    NotEnoughDataError
        When nothing was read or inspected.
    """
    shop = Shop.of(plant, history, entry, end)
    pieces, own = shop.pieces, shop.table.where(shop.pieces.rows)
    count = len(pieces)
    lots = Lots(
        machine=own.machine,
        product=np.full(count, "", object),
        time=own.time,
        names=own.names,
        values=own.values,
        pieces=np.ones(count),
        rejects=(pieces.code >= pieces.good).astype(np.float64),
        price=np.full(count, np.nan),
    )
    asked = np.ones(count, np.bool_) if machine is None else own.machine == machine
    lots = lots.where((own.time > instant(start)) & asked)
    if entry.split == "random":
        lots = lots.where(np.random.default_rng(0).permutation(len(lots)))
        lots = replace(lots, machine=np.full(count, entry.machine_class, object)[: len(lots)], time=np.sort(lots.time))
    return lots, shop.recipe

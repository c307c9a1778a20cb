"""A bundle, learnt from all that a history holds up to a moment."""

from datetime import datetime, timedelta

from ingest.history import History
from ingest.plant import ModelEntry, Plant
from models.believed import believed_table
from models.bundle import Bundle
from models.fit import fit_bundle
from models.judging.backtest import recipe_until, split_of


def learnt(plant: Plant, history: History, entry: ModelEntry, until: datetime) -> Bundle:
    """Fit a model of the plant file to what is known at a moment.

    Raises
    ------
    NotEnoughDataError
        When there is nothing to learn from.
    """
    spans = history.spans(entry.machine_class)
    machines = [machine for machine in plant.machines_of(entry.machine_class) if machine in spans]
    chosen = entry.model_copy(update={"split": split_of(plant, entry)})
    recipe = recipe_until(plant, history, chosen, until)
    first = min(spans[machine][0] for machine in machines) - timedelta(microseconds=1)
    machine_class = plant.class_named(entry.machine_class)
    table = believed_table(recipe, machine_class, history, machines, first, until).table
    return fit_bundle(chosen, plant, recipe, table, history.events(machines=machines, end=until), until)

"""The levers of a plant: of the pieces that a model's inspections judge, or that a class of machines counts."""

from datetime import datetime

from ingest.errors import NotEnoughDataError, UnknownNameError
from ingest.history import History
from ingest.plant import Plant
from ingest.plant_words import nearest
from models.conditions.report import watermark
from models.levers.counted import counted_lots
from models.levers.find import Levers, find_levers


def lever_names(plant: Plant) -> list[str]:
    """Return what levers may be asked of: models of conditions, and classes whose machines make products."""
    models = [each.name for each in plant.models if each.task == "condition"]
    classes = [each.name for each in plant.classes if plant.products and each.name not in models]
    return [*models, *classes]


def plant_levers(
    plant: Plant, history: History, name: str, start: datetime, end: datetime, machine: str | None = None
) -> Levers:
    """Return the levers of the pieces of a model or of a class, made in (start, end]; or why there are none.

    Parameters
    ----------
    machine : only what this one made; of all machines of the class a lever holds for them together

    Raises
    ------
    UnknownNameError
        With the nearest name, if levers cannot be asked of it, or it has no such machine.
    """
    entry = next((each for each in plant.models if each.name == name and each.task == "condition"), None)
    if entry is None and name not in (each.name for each in plant.classes):
        known = lever_names(plant) or [each.name for each in plant.classes]
        raise UnknownNameError(f"no model of conditions and no class {name!r}; {nearest(name[:200], known)}")
    machine_class = plant.class_named(name if entry is None else entry.machine_class)
    machines = plant.machines_of(machine_class.name)
    if machine is not None and machine not in machines:
        raise UnknownNameError(
            f"class '{machine_class.name}' has no machine {machine!r}; {nearest(machine[:200], list(machines))}"
        )
    try:
        if entry is not None:
            from models.levers.inspected import inspected_lots

            lots, recipe = inspected_lots(plant, history, entry, start, end, machine)
        else:
            lots, recipe = counted_lots(plant, history, name, start, end, machine)
    except NotEnoughDataError as error:
        return Levers(name, reason=str(error))
    units = {signal.name: signal.unit for signal in machine_class.signals}
    return find_levers(name, lots, recipe, units, watermark="" if entry is None else watermark(entry))

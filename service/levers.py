"""The levers of a plant, as the command line, the interface and the dashboard ask for them."""

from datetime import datetime, timedelta

from ingest.history import History
from ingest.plant import Plant

DEFAULT_SPAN = timedelta(days=180)


def newest_reading(plant: Plant, history: History, name: str) -> datetime | None:
    """Return when a machine of a class, or of the class of a model, was read last; ``None`` if none ever was."""
    machine_class = next((each.machine_class for each in plant.models if each.name == name), name)
    spans = history.spans(machine_class) if machine_class in (each.name for each in plant.classes) else {}
    return max((newest for _, newest in spans.values()), default=None)

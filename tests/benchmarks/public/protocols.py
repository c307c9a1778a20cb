"""Which protocol serves a plant file: by the task of its models and how they are to be split.

A protocol is a module of this folder with ``def rows(plant: Path) -> list[Row]``: it takes a plant file and
returns the figures of those of its models that it serves. None knows a data set.
"""

from importlib import import_module
from pathlib import Path

from ingest.plant import Plant
from tests.benchmarks.public.row import Row

PROTOCOLS: dict[tuple[str, str | None], tuple[str, ...]] = {
    ("anomaly", "baseline"): ("outliers", "change_points"),
    ("anomaly", "time"): ("nab",),
    ("condition", None): ("condition",),
    ("remaining_life", None): ("remaining_life",),
}
"""(task, split) to names of modules; a split of ``None`` is one that the plant file does not name, and any split
whose own row is missing."""


def protocols_of(plant: Plant) -> tuple[str, ...]:
    """Return the names of the protocols that the models of a plant ask for, each once."""
    asked = [(model.task, getattr(model, "split", None)) for model in plant.models]
    found = [name for task, split in asked for name in PROTOCOLS.get((task, split), PROTOCOLS.get((task, None), ()))]
    return tuple(dict.fromkeys(found))


def rows(protocol: str, plant: Path) -> list[Row]:
    """Return what a protocol measures on a plant file."""
    return import_module(f"tests.benchmarks.public.{protocol}").rows(plant)

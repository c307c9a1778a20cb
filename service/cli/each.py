"""Do one thing for each model; what one model cannot do does not stop the next."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from ingest.errors import AndonError
from ingest.plant import ModelEntry, Plant
from service.cli.named import entries_named

Report = TypeVar("Report")


def each_model(
    plant: Plant, names: Sequence[str], work: Callable[[ModelEntry], Report]
) -> tuple[list[Report], list[str]]:
    """Return the reports of the models for which it could be done, and one line for each other one."""
    reports: list[Report] = []
    problems: list[str] = []
    for entry in entries_named(plant, names):
        try:
            reports.append(work(entry))
        except AndonError as error:
            problems.append(f"{entry.name}: {error}")
    return reports, problems

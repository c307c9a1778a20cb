"""Models and jobs by the names that a person typed."""

from collections.abc import Sequence

from ingest.errors import NotEnoughDataError, UnknownNameError
from ingest.plant import Job, ModelEntry, Plant


def entries_named(plant: Plant, names: Sequence[str]) -> list[ModelEntry]:
    """Return the plant's model entries of these names; all of them when none is named.

    Raises
    ------
    UnknownNameError
        If a name is not a model's.
    NotEnoughDataError
        If the plant file lists no model.
    """
    if not plant.models:
        raise NotEnoughDataError("the plant file lists no model; add a [[models]] entry (see docs/plant_file.md)")
    known = {entry.name: entry for entry in plant.models}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UnknownNameError(f"no model {unknown[0]!r} in the plant file; there are: {', '.join(known)}")
    return [known[name] for name in names] if names else list(plant.models)


def named_job(jobs: Sequence[Job], name: str) -> Job:
    """Return the job of this name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    known = {job.name: job for job in jobs}
    if name not in known:
        raise UnknownNameError(f"no job {name!r} in the plant file; there are: {', '.join(known) or 'none'}")
    return known[name]

"""What a person named on the command line: models, jobs, and the address that people open."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest.errors import NotEnoughDataError, UnknownNameError
from ingest.plant import Job, ModelEntry, Plant

if TYPE_CHECKING:
    from service.settings import Settings


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


def base_address(settings: "Settings", given: str | None = None) -> str:
    """Return the address that people open: the one given, or as the settings have it.

    Examples
    --------
    >>> from service.settings import Settings
    >>> base_address(Settings(hosts=("andon.example",)), None), base_address(Settings(), "https://a.example/")
    ('http://andon.example:8420', 'https://a.example')
    """
    if given:
        return given.rstrip("/")
    scheme = "https" if settings.tls_certificate else "http"
    everywhere = settings.host in ("0.0.0.0", "::")  # noqa: S104 – asked for, not listened on
    host = settings.hosts[0] if settings.hosts else "localhost" if everywhere else settings.host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}"

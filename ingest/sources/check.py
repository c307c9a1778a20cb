"""Look at the sources of a plant without reading them in: the files that are missing, and the columns."""

from ingest.decode.mapping import resolve
from ingest.errors import SourceError
from ingest.plant import Plant
from ingest.sources.files import files_of, open_file


def check_sources(plant: Plant) -> list[str]:
    """Return one line for each file that is missing, cannot be opened, or lacks a column.

    Only the beginning of each file is read.
    """
    problems: list[str] = []
    for source in plant.sources:
        try:
            files = files_of(source, plant.folder)
        except SourceError as error:
            problems.append(str(error))
            continue
        for path in files:
            try:
                resolve(source, plant, open_file(path, source).columns, str(path))
            except SourceError as error:
                problems.append(str(error))
    return problems

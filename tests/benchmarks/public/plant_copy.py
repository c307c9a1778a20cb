"""A plant file of a public data set, copied to where it may write, its data where a person keeps it."""

from pathlib import Path

import tomlkit

CATALOGUE = Path(__file__).parents[4] / "shared" / "data"
"""Where the plant files of the tests look for public data: beside the checkout."""


def copied(plant: Path, folder: Path, data: Path | None = None) -> Path:
    """Write a copy of a plant file and return its path; what it makes is kept beside the copy.

    Parameters
    ----------
    folder : where the copy goes, an empty folder
    data : in place of ``CATALOGUE``; the files lie in it as they do there
    """
    document = tomlkit.parse(plant.read_text(encoding="utf-8")).unwrap()
    document["data"] = "andon-data"
    for source in document.get("sources", []):
        path = _normal(plant.resolve().parent / source["path"])
        if data is not None and path.is_relative_to(_normal(CATALOGUE)):
            path = data.resolve() / path.relative_to(_normal(CATALOGUE))
        source["path"] = str(path)
    copy = folder / plant.name
    copy.write_text(tomlkit.dumps(document), encoding="utf-8")
    return copy


def _normal(path: Path) -> Path:
    """Take ``..`` out of a path that may hold a glob, without following links."""
    steps: list[str] = []
    for step in path.absolute().parts:
        if step == "..":
            steps.pop()
        else:
            steps.append(step)
    return Path(*steps)

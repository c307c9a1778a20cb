"""Read ``plant.toml`` and name every mistake in it at once."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from ingest.errors import PlantFileError
from ingest.plant import MachineClass, Plant
from ingest.plant_check import check
from ingest.plant_draft import Draft
from ingest.plant_names import write_out
from ingest.plant_problem import Problem, problem_of

_INSTEAD = {"machine": "machine_is", "time": "cycle", "cron": "every"}


def load_plant(path: Path) -> Plant:
    """Read and check a plant file.

    Naive times in the file are in the plant's zone (of an hour that comes twice, the first is meant);
    in the plant that is returned all times are UTC, and ``folder`` is the absolute folder of the file.

    Raises
    ------
    PlantFileError
        With one line for each mistake: file, key (entries are counted from 1, as people count), what
        is wrong, what would be right.
    """
    written = write_out(_read(path))
    document, problems = written.document, written.problems
    try:
        plant = Plant.model_validate(document)
        draft = Draft.of_plant(document, plant)
    except ValidationError as error:
        plant = None
        problems += [problem_of(dict(each)) for each in error.errors(include_url=False)]
        draft = Draft.of_document(document)
    unread = tuple(f"no {noun} " for noun in ("machine", "signal") if _unread(problems, f"{noun}s"))
    for problem in check(draft):
        if not (_only_seems_missing(problem, document) or problem.what.startswith(unread)):
            problems.append(problem)
    if "folder" in document:
        problems.append(Problem(("folder",), "unknown key; the folder is always the one that holds the plant file"))
    if problems or plant is None:
        lines = [problem.line(path.name, document, written.origins) for problem in problems]
        raise PlantFileError(list(dict.fromkeys(lines)))
    return _in_utc(plant).model_copy(update={"folder": path.resolve().parent})


def _unread(problems: Sequence[Problem], listed: str) -> bool:
    """Whether names of machines, or of signals, could not be read, so that others may seem unknown."""
    return any(problem.at[-1] in ("name", "names") and listed in problem.at for problem in problems)


def _only_seems_missing(problem: Problem, document: Mapping[str, Any]) -> bool:
    """Whether a key stands in the file but was left out of the draft because of a mistake of form."""
    entry: Any = document
    for step in problem.at[:-1]:
        entry = entry[step]
    key = str(problem.at[-1])
    return problem.what.startswith("is missing") and not {key, _INSTEAD.get(key, key)}.isdisjoint(entry)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise PlantFileError([f"{path}: no such file; propose one from your data with: andon init FILES"]) from error
    except UnicodeDecodeError as error:
        raise PlantFileError([f"{path}: not text in UTF-8 (byte {error.start + 1}); save it as UTF-8"]) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PlantFileError([f"{path}: cannot be read ({reason}); give the path of a TOML file"]) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
        reason = " ".join((found[1] if found else str(error)).split())
        lines = text.split("\n")
        line, column = (found[2], found[3]) if found and found[2] else (len(lines), len(lines[-1]) + 1)
        raise PlantFileError([f"{path.name}: line {line}, column {column}: not TOML: {reason}"]) from error
    except (RecursionError, ValueError) as error:
        raise PlantFileError([f"{path.name}: not TOML that can be read: nested too deeply or too large"]) from error


def _in_utc(plant: Plant) -> Plant:
    """Give every time of the plant file a zone, and that zone is UTC."""

    def utc(moment: datetime | None) -> datetime | None:
        return None if moment is None else as_utc(moment, plant.zone)

    return plant.model_copy(
        update={
            "classes": [_class_in_utc(each, utc) for each in plant.classes],
            "events": [each.model_copy(update={"time": utc(each.time), "end": utc(each.end)}) for each in plant.events],
            "sources": [each.model_copy(update={"cycle_start": utc(each.cycle_start)}) for each in plant.sources],
            "models": [each.model_copy(update={"train_until": utc(each.train_until)}) for each in plant.models],
            "meters": [each.model_copy(update={"baseline_from": utc(each.baseline_from)}) for each in plant.meters],
        }
    )


def _class_in_utc(entry: MachineClass, utc: Callable[[datetime | None], datetime | None]) -> MachineClass:
    """Give every time of a class that zone; a class without any stays what it is."""
    if all(each.since is None for each in entry.characteristics):
        return entry
    charts = [each.model_copy(update={"since": utc(each.since)}) for each in entry.characteristics]
    return entry.model_copy(update={"characteristics": charts})


def as_utc(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return a time in UTC; one without a zone is read in ``zone``."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)

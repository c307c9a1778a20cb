"""Entries of the plant file that stand for several: ``names`` in place of ``name``, written out one by one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest.plant_problem import Problem
from ingest.plant_words import Location

MOST = 100_000
_RANGE = re.compile(r"(.*?)([0-9]{1,18})\.\.([0-9]{1,18})")
_WRITTEN = {"machines": ("machines", '["1..20", "spare"]'), "signals": ("signals", '["feature_000..589", "level"]')}


@dataclass(frozen=True)
class Written:
    """A plant file with its machines and signals written out.

    Attributes
    ----------
    document : its content
    origins : for each list that was written out, by the keys and positions that lead to it: for each of its
        entries now, the position of the entry in the file
    problems : names that cannot be written out
    """

    document: dict[str, Any]
    origins: dict[Location, list[int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def write_out(document: Mapping[str, Any]) -> Written:
    """Write out the machines of a plant file and the signals of its classes."""
    written = Written(dict(document))
    if isinstance(document.get("machines"), list):
        written.document["machines"] = _entries(written, ("machines",), document["machines"])
    classes = document.get("classes")
    if isinstance(classes, list):
        written.document["classes"] = [_class(written, place, each) for place, each in enumerate(classes)]
    return written


def _class(written: Written, place: int, entry: Any) -> Any:
    signals = entry.get("signals") if isinstance(entry, dict) else None
    if not isinstance(signals, list):
        return entry
    return {**entry, "signals": _entries(written, ("classes", place, "signals"), signals)}


def _entries(written: Written, at: Location, listed: Sequence[Any]) -> list[Any]:
    entries: list[Any] = []
    origins: list[int] = []
    for position, entry in enumerate(listed):
        expanded = [entry]
        if isinstance(entry, dict) and "names" in entry:
            rest = {key: value for key, value in entry.items() if key != "names"}
            try:
                expanded = [{**rest, "name": name} for name in _names(entry, str(at[-1]), MOST - len(entries))]
            except ValueError as error:
                written.problems.append(Problem((*at, len(entries), "names"), str(error)))
                expanded = [{"name": f"{at[-1]}[{position + 1}]", **rest}]
        entries += expanded
        origins += [position] * len(expanded)
    written.origins[at] = origins
    return entries


def _names(entry: Mapping[str, Any], nouns: str, room: int) -> list[str]:
    return names_in(entry["names"], nouns, room, beside="name" in entry)


def names_in(given: object, nouns: str, room: int = MOST, *, beside: bool = False) -> list[str]:
    """Return the names that names and ranges of them stand for, ``room`` at most.

    Parameters
    ----------
    given : what the file says
    nouns : ``machines`` or ``signals``
    beside : whether one name is given, too

    Raises
    ------
    ValueError
        When that is not names, or too many of them.

    Examples
    --------
    >>> names_in(["level", "ag_008..011"], "signals")
    ['level', 'ag_008', 'ag_009', 'ag_010', 'ag_011']
    """
    what, example = _WRITTEN[nouns]
    if beside:
        raise ValueError("stands beside 'name'; keep one of the two")
    written = [given] if isinstance(given, str) else given
    if not isinstance(written, list) or not written or not all(isinstance(each, str) for each in written):
        raise ValueError(f"is not a list of names; write names and ranges in quotes, such as {example}")
    names: list[str] = []
    for each in written:
        span = _RANGE.fullmatch(each)
        if span is None:
            names.append(each)
            continue
        first, last = int(span[2]), int(span[3])
        if not first <= last < first + MOST:
            raise ValueError(f"{each!r} is no range; write the lower end first, such as '1..20', {MOST} at most")
        width = len(span[2]) if span[2].startswith("0") else 0
        if len(names) + last - first >= room:
            raise ValueError(f"{each!r} makes too many; a plant has {MOST} {what} at most")
        names += [span[1] + str(number).zfill(width) for number in range(first, last + 1)]
    return names

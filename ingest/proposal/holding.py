"""The files that a person gave, understood, and those put together that are alike."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import SourceError
from ingest.proposal.sample import read_sample
from ingest.proposal.table import Table, understand
from ingest.proposal.tally import Tally, tally

_ENDINGS = (".csv", ".txt", ".tsv", ".parquet", ".pq", ".arrow", ".feather")


@dataclass
class Holding:
    """One file, or all files of a folder that are alike, with what they hold together.

    Attributes
    ----------
    name : of the source, unique
    path : as in the plant file
    """

    name: str
    path: str
    table: Table
    tally: Tally

    @property
    def holds_readings(self) -> bool:
        """Whether there is a signal in it."""
        return bool(self.table.signals)


def read_holdings(files: Sequence[Path], beside: Path) -> tuple[list[Holding], list[str]]:
    """Read all files; those without a time are left out.

    Returns
    -------
    holdings, and one line for each file that is left out

    Raises
    ------
    SourceError
        With one line for each file that cannot be read; or when no file is left.
    """
    samples, broken, left_out = [], [], []
    for path in _expanded(files):
        try:
            samples.append(read_sample(path))
        except SourceError as error:
            broken.append(str(error))
    if broken:
        raise SourceError("\n".join(broken))
    if not samples:
        raise SourceError("no file is given; give CSV, Parquet or Arrow files, or folders of them")
    tables: list[Table] = []
    for sample in samples:
        try:
            tables.append(understand(sample))
        except SourceError as error:
            left_out.append(str(error))
    if not any(table.signals for table in tables):
        events = [
            f"{table.sample.path}: only events; give files with readings (numbers that vary) too" for table in tables
        ]
        raise SourceError("\n".join([*left_out, *events]))
    holdings: list[Holding] = []
    for group in _alike(tables):
        holdings.append(_put_together(group, beside, {holding.name for holding in holdings}))
    return holdings, left_out


def _expanded(files: Sequence[Path]) -> list[Path]:
    found: dict[Path, None] = {}
    for path in files:
        if path.is_dir():
            inside = sorted(each for each in path.iterdir() if each.suffix.lower() in _ENDINGS and each.is_file())
            if not inside:
                raise SourceError(f"{path}: the folder holds no CSV, Parquet or Arrow file")
            found |= dict.fromkeys(inside)
        else:
            found[path] = None
    return list(found)


def _alike(tables: Sequence[Table]) -> list[list[Table]]:
    """Put tables together that one source with a glob could read, if it would read no other file."""
    groups: dict[object, list[Table]] = {}
    for table in tables:
        sample = table.sample
        key: object = (
            sample.path.parent,
            sample.path.suffix,
            tuple(map(str, sample.frame.columns)),
            (sample.delimiter, sample.decimal, table.machine.columns, table.signal_column),
            (table.time.columns, table.time.format) if table.time else table.cycle,
        )
        groups.setdefault(key if table.machine.columns else sample.path, []).append(table)
    found: list[list[Table]] = []
    for group in groups.values():
        path = group[0].sample.path
        siblings = sum(1 for each in path.parent.glob(f"*{path.suffix}") if each.is_file())
        found += [group] if siblings == len(group) and path.suffix else [[table] for table in group]
    return found


def _put_together(group: list[Table], beside: Path, taken: set[str]) -> Holding:
    path = group[0].sample.path
    together = tally(group[0], path.stem)
    for table in group[1:]:
        together.include(tally(table, table.sample.path.stem))
    name = path.parent.resolve().name if len(group) > 1 else path.stem
    name = (name or "data")[:190]
    unique, number = name, 2
    while unique in taken:
        unique, number = f"{name} {number}", number + 1
    shown = path.parent / f"*{path.suffix}" if len(group) > 1 else path
    fullest = max(group, key=lambda table: len(table.signals))
    return Holding(unique, _relative(shown, beside), fullest, together)


def _relative(path: Path, beside: Path) -> str:
    try:
        return Path(os.path.relpath(path.absolute(), beside.absolute())).as_posix()
    except ValueError:  # another drive
        return path.absolute().as_posix()

"""Public data sets with published results, all through plant files and with the same defaults.

``python -m tests.benchmarks.public [--json] [--data DIR] [PLANT…]`` runs the plant files of ``tests/plants`` that
some protocol serves, or those named by stem or path, each in a process of its own, and prints a table of figures
beside what others published and what we want. A missed goal is a row that says so; the exit code is not 0 only
when a run fails.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from math import isnan
from pathlib import Path

from ingest.errors import AndonError
from ingest.plant_file import load_plant
from tests.benchmarks.public.plant_copy import copied
from tests.benchmarks.public.protocols import protocols_of
from tests.benchmarks.public.row import Row

PLANTS = Path(__file__).parents[2] / "plants"
_HEAD = ("data", "protocol", "figure", "value", "95 % interval", "published", "goal", "", "s", "MB", "tried")


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one plant file: its rows, or why there are none."""

    plant: str
    rows: tuple[Row, ...]
    failed: str = ""
    seconds: float = 0.0


def run(plant: Path, data: Path | None) -> Ran:
    """Measure one plant file in a process of its own."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        copy = copied(plant, Path(folder), data)
        began = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.public.one", str(copy)], stdout=out, stderr=err
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        out.seek(0)
        err.seek(0)
        text, errors = out.read().decode(), err.read().decode()
    if child.returncode:
        return Ran(plant.stem, (), errors.strip() or f"ended with {child.returncode}", seconds)
    rows = [replace(Row.from_dict(each), megabytes=usage.ru_maxrss / 1024) for each in json.loads(text)]
    return Ran(plant.stem, tuple(rows), "", seconds)


def chosen(names: list[str]) -> list[Path]:
    """Return the plant files that are named, by stem or by path; all that a protocol serves when none is.

    Raises
    ------
    SystemExit
        When one is not there, is no plant file, or no protocol serves it.
    """
    if not names:
        return [each for each in sorted(PLANTS.glob("*.toml")) if protocols_of(load_plant(each))]
    paths = [Path(each) if each.endswith(".toml") else PLANTS / f"{each}.toml" for each in names]
    for path in paths:
        try:
            served = protocols_of(load_plant(path))
        except AndonError as error:
            raise SystemExit(str(error)) from error
        if not served:
            raise SystemExit(f"{path}: no protocol serves the tasks of its models; see protocols.py")
    return paths


def main() -> int:
    """Run the plant files and print what came of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.public", description=__doc__)
    parser.add_argument("plants", nargs="*", help="plant files by stem or path; all that are served when none is given")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--data", type=Path, help="folder of the public data; ../shared/data when left out")
    asked = parser.parse_args()
    began = time.perf_counter()
    found = [run(path, asked.data) for path in chosen(asked.plants)]
    seconds = time.perf_counter() - began
    if asked.json:
        told = {
            "rows": [row.to_dict() for each in found for row in each.rows],
            "failed": {each.plant: each.failed for each in found if each.failed},
            "seconds": round(seconds, 1),
        }
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        print(table([row for each in found for row in each.rows]))
        for each in found:
            if each.failed:
                print(f"\n{each.plant} FAILED:\n{each.failed}")
        print(f"\n{seconds:.0f} s in all")
    return int(any(each.failed for each in found))


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = [_cells(*_HEAD), "|" + "---|" * len(_HEAD)]
    return "\n".join([*lines, *(_cells(*_written(row)) for row in rows)])


def _written(row: Row) -> tuple[str, ...]:
    interval = "" if isnan(row.low) and isnan(row.high) else f"{row.low:.4g} to {row.high:.4g}"
    return (
        row.data,
        row.protocol,
        row.figure,
        f"{row.value:.4g}",
        interval,
        row.published,
        "" if row.goal is None else str(row.goal),
        row.verdict,
        f"{row.seconds:.1f}",
        f"{row.megabytes:.0f}",
        str(row.tried),
    )


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    raise SystemExit(main())

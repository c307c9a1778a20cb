"""Let each write, sync, cut and renaming of a store fail: what was acknowledged must be there, and all go on.

Run ``python -m tests.trials.failing_disk`` to try every step of a store's life in five ways.
"""

import ctypes
import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from ingest import sqlite
from ingest.dead_letter import DeadLetter
from ingest.delivery import Delivery
from ingest.errors import StoreError
from ingest.event import EVENT_COLUMNS
from ingest.store import Store
from tests.ingest.conftest import START, readings_of

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).with_suffix(".c")
DELIVERIES = 12
SEAL_EVERY = 4
LONG = 1 << 40

WAYS: Mapping[str, tuple[int, int, bool]] = {
    "full once": (errno.ENOSPC, 1, False),
    "full from then on": (errno.ENOSPC, LONG, False),
    "full after half a write": (errno.ENOSPC, 3, True),
    "an error once": (errno.EIO, 1, False),
    "errors from then on": (errno.EIO, LONG, False),
}
"""By name: which error, for how many steps, and whether half of a write is done."""


def build(folder: Path) -> Path:
    """Compile the disk that fails; raises ``FileNotFoundError`` without a C compiler."""
    library = folder / "failing_disk.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return library


def run(library: Path, every: int = 1) -> str:
    """Try each ``every``-th step in a process of its own, and return what it printed.

    Raises
    ------
    AssertionError
        When something acknowledged was gone, something was there twice, or an error was not ours.
    """
    ran = subprocess.run(
        [sys.executable, "-m", __spec__.name if __spec__ else __name__, str(library), str(every)],
        cwd=ROOT, env={**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@dataclass
class Disk:
    """The disk below a folder, which fails when it is told to."""

    library: ctypes.CDLL

    def fail(self, folder: Path, first: int, last: int, error: int, *, half: bool) -> None:
        """Let the steps from ``first`` to ``last`` fail, counted from now on."""
        begin, end = ctypes.c_long(first), ctypes.c_long(last)
        self.library.disk_fails(str(folder).encode(), begin, end, error, int(half))

    def heal(self) -> None:
        """Let everything work again."""
        self.library.disk_fails(b"", ctypes.c_long(0), ctypes.c_long(0), 0, 0)

    @property
    def steps(self) -> int:
        """How many there were since it was last told anything."""
        return int(self.library.disk_steps())


def delivery(number: int) -> Delivery:
    """Return one of everything, under a position of its own."""
    event = {
        "machine": "m1", "kind": "failure", "time": START + pd.Timedelta(minutes=number), "code": f"{number}",
    }  # fmt: skip
    return Delivery(
        source="s",
        position=f"{number}",
        readings=(readings_of([(f"m{each}", float(number), {"a": float(number)}) for each in range(50)]),),
        events=pd.DataFrame([event]).reindex(columns=list(EVENT_COLUMNS)),
        notes={f"note {number}": "kept"},
        dead_letters=(DeadLetter(kind="json", body=b"?", reason="no", arrived=datetime(2026, 1, 1, tzinfo=UTC)),),
    )


def steps() -> Iterator[Callable[[Store], object]]:
    """Give what is done with a store, one after the other."""
    for number in range(DELIVERIES):
        yield lambda store, number=number: store.deliver([delivery(number)])  # type: ignore[misc]
        if number % SEAL_EVERY == SEAL_EVERY - 1:
            yield lambda store: store.seal()


def content(store: Store) -> tuple[object, ...]:
    """Return all that was kept, as it can be compared."""
    readings = store.read("press").table.drop_columns(["arrived"]).to_pylist()
    events = sorted(store.events()["code"])
    letters = sum(each.kept for each in store.dead_letter_counts().values())
    return readings, events, letters, store.notes("s")


def try_once(disk: Disk, folder: Path, first: int, way: str, expected: tuple[object, ...]) -> bool:
    """Let a step and those after it fail while a store is opened and filled; ``False`` if there is no such step."""
    error, count, half = WAYS[way]
    disk.fail(folder, first, first + count - 1, error, half=half)
    kept: list[int] = []
    store: Store | None = None
    try:
        store = Store(folder / "data", rows_in_a_segment=40)
        for number, step in enumerate(steps()):
            try:
                step(store)
            except StoreError:
                continue
            kept.append(number)
    except StoreError:
        pass
    reached = disk.steps >= first
    disk.heal()
    done = list(steps())
    if store is not None:
        for number, step in enumerate(done):  # the same process goes on
            if number not in kept and number % 2:
                step(store)
                kept.append(number)
        store.close()
    again = Store(folder / "data", rows_in_a_segment=40)
    events = set(again.events()["code"])
    acknowledged = {f"{place}" for place, number in enumerate(_deliveries()) if number in kept}
    assert acknowledged <= events, (way, first, "lost", acknowledged - events)
    damage = [each for each in again.find_damage() if each.part != "stray"]
    assert not damage, f"{way}, step {first}: {damage}"
    for step in done:  # all is sent once more, as a client does that had no answer
        step(again)
    again.close()
    last = Store(folder / "data")
    found = content(last)
    last.close()
    assert found == expected, f"{way}, step {first}: {_difference(found, expected)}"
    return reached


def _difference(found: tuple[object, ...], expected: tuple[object, ...]) -> str:
    names = ("readings", "events", "dead letters", "notes")
    return ", ".join(name for name, one, other in zip(names, found, expected, strict=True) if one != other)


def _deliveries() -> list[int]:
    """Return which of the steps are deliveries."""
    return [number for number in range(DELIVERIES + DELIVERIES // SEAL_EVERY) if (number + 1) % (SEAL_EVERY + 1)]


def main() -> None:
    """Try all steps in all ways; preloaded with the disk."""
    library, every = sys.argv[1], int(sys.argv[2])
    disk = Disk(ctypes.CDLL(library))
    with tempfile.TemporaryDirectory() as scratch:
        whole = Store(Path(scratch) / "whole")
        for _ in range(2):
            for step in steps():
                step(whole)
        expected = content(whole)
        whole.close()
    sqlite.CHECKPOINT_PAGES = 20  # so that taking over the log of the database fails, too
    for way in WAYS:
        first = tried = 1
        while True:
            with tempfile.TemporaryDirectory() as scratch:
                if not try_once(disk, Path(scratch), first, way, expected):
                    break
            first += every
            tried += 1
        sys.stdout.write(f"{way}: {tried} places of {first} steps, nothing lost, nothing doubled\n")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        main()
    else:
        with tempfile.TemporaryDirectory() as place:
            sys.stdout.write(run(build(Path(place))))

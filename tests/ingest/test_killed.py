"""Killed at any moment and run again: the same content, nothing lost, nothing doubled."""

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.ingest.conftest import BESIDE, Kept
from tests.nursery import nursery

START = datetime(2026, 1, 1, tzinfo=UTC)

# The process kills itself with SIGKILL just before its n-th durable step: a commit, a sync of a file,
# or the removal of one. So every moment between two steps is tried, without any waiting.
CHILD = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from ingest import lake
from ingest.plant import Plant
from ingest.sources import csv_file, files
from ingest.store import Store

csv_file.BLOCK_BYTES = 600
csv_file.CsvFile.__init__.__defaults__ = (",", 600)
files.CELLS_IN_THE_LOG = 150
left, sync = 0, os.fsync

def stop(event, arguments):
    if event == "os.remove" or (event == "open" and arguments[1] == "wb" and "lake" in str(arguments[0])):
        step()

def step():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def counted(change):
    return lambda *arguments, **options: (step(), change(*arguments, **options))[1]

def run(folder, kill_at, lake_address):
    global left
    left = kill_at
    event.listen(Engine, "commit", lambda connection: step())
    os.fsync = counted(sync)
    sys.addaudithook(stop)
    if lake_address:
        import obstore

        for name in ("put", "delete", "rename"):
            setattr(obstore, name, counted(getattr(obstore, name)))
    folder = Path(folder)
    plant = Plant.model_validate({
        "classes": [{"name": "press", "signals": [{"name": "force"}]}],
        "machines": [{"name": f"m{number}", "class": "press"} for number in range(3)],
        "sources": [{"name": "s", "path": "data.csv", "machine": "machine", "time": "time", "run_to_failure": True,
                     "events": [{"kind": "error", "flag": "bad"}], "signals": {"force": "force"}}],
        "folder": folder,
    })
    store = Store(folder / "data", rows_in_a_segment=40, lake=lake_address)
    files.ingest_files(plant, store, now=datetime(2026, 6, 1, tzinfo=UTC))
    store.close()
"""


def write_file(folder: Path) -> None:
    folder.mkdir()
    rows = []
    for hour in range(140):
        time = (START + timedelta(hours=hour * 7 % 120)).isoformat()
        rows += [f"m{number},{time},{hour}.5,{int(hour % 7 == 0)}" for number in range(3)]
    (folder / "data.csv").write_text("machine,time,force,bad\n" + "\n".join(rows) + "\n")


def content(folder: Path, kept: Kept = BESIDE) -> tuple[dict[str, list[object]], str]:
    store = kept.open(folder / "data")
    readings = store.read("press").table.to_pydict()
    events = store.events().to_dict("list")
    store.close()
    return readings, str(events)


def test_ingest_killed_at_many_moments_and_run_again_is_the_same_as_undisturbed(
    tmp_path: Path, kept_files: Kept
) -> None:
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    with nursery(CHILD, log := tmp_path / "child.log") as children:

        def ingest(folder: Path, kill_at: int, lake: str = "") -> int:
            ended = children.start(str(folder), kill_at, lake).wait(60)
            assert ended in (0, -signal.SIGKILL), log.read_text()
            return ended

        write_file(undisturbed)
        assert ingest(undisturbed, 0) == 0
        expected = content(undisturbed)

        write_file(disturbed)
        kills = 0
        for kill_at in (2, 5, 3, 8, 4, 12, 7, 6, 9, 11):
            kills += ingest(disturbed, kill_at, kept_files.lake) != 0
        assert kills >= 5
        assert ingest(disturbed, 0, kept_files.lake) == 0

    found = content(disturbed, kept_files)
    assert found == expected
    assert len(found[0]["force"]) == 360
    store = kept_files.open(disturbed / "data")
    assert len(kept_files.place(disturbed / "data").paths()) == store.counts().segments
    store.close()

"""Workers that are killed, stopped, given wrong clocks and kept from the database miss no slot and do none twice."""

from pathlib import Path

import pytest

from tests.trials.workers import run_faults


@pytest.mark.slow(seconds=15)
def test_workers_with_faults_of_all_kinds_do_each_slot_once(tmp_path: Path, database: str) -> None:
    """The short form; ``python -m tests.trials.workers --faults 1000`` does more of them to more workers."""
    said = run_faults(tmp_path, database, workers=3, faults=8, pause=0.4, speed=100, seed=1)
    assert "0 missing, 0 doubled" in said

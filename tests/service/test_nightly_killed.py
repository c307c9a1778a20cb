"""Nightly scoring that is killed leaves what an undisturbed one leaves."""

from pathlib import Path

import pytest

from tests.trials.nightly_killed import kill_often


@pytest.mark.slow
def test_nightly_scoring_that_is_killed_gives_the_same_bytes_and_repeats_one_chunk_a_kill(tmp_path: Path) -> None:
    """The short form; ``python -m tests.trials.nightly_killed --kills 50`` kills more often."""
    said = kill_often(tmp_path, kills=2, nights=4, longest=0.3, seed=2)
    assert "are the same" in said

"""A server that is killed under load keeps its word."""

from pathlib import Path

import pytest

from tests.trials.killed_server import kill_often


@pytest.mark.slow
def test_a_server_that_is_killed_often_loses_and_doubles_nothing_it_acknowledged(tmp_path: Path) -> None:
    """The short form; ``python -m tests.trials.killed_server`` kills a thousand times."""
    assert "0 lost, 0 doubled" in kill_often(tmp_path, kills=2, seed=7)

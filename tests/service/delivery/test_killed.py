"""A process that delivers is killed at random moments: nothing is lost, doubled or out of order."""

from pathlib import Path

import pytest

from tests.trials.delivery import kill_often, three_scenarios


@pytest.mark.slow(seconds=30)
def test_a_process_that_is_killed_often_delivers_each_message_with_one_effect_in_order(
    tmp_path: Path, database: str
) -> None:
    """The short form; ``python -m tests.trials.delivery`` has 10,000 alerts and 300 kills."""
    told = kill_often(tmp_path, alerts=10, kills=2, seed=7, database=database)
    assert "0 lost, 0 doubled, 0 out of order" in told


@pytest.mark.slow(seconds=15)
def test_the_scenarios_in_which_alertmanager_loses_or_doubles_pass(tmp_path: Path) -> None:
    assert "each delivered, effect once" in three_scenarios(tmp_path)

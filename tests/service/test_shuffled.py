"""Rows that come often, in any order and over connections that break are the rows all the same."""

from pathlib import Path

from tests.trials.shuffled import send_shuffled


def test_rows_sent_three_times_shuffled_from_eight_clients_are_kept_once(tmp_path: Path) -> None:
    """The short form; ``python -m tests.trials.shuffled`` sends ten million readings."""
    assert "as of the rows themselves" in send_shuffled(tmp_path, readings=100_000)

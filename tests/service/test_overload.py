"""A server that is offered more than it can take keeps what it acknowledges and goes on showing alerts."""

from pathlib import Path

import pytest

from tests.trials.overload import overload


@pytest.mark.slow
def test_under_overload_what_is_acknowledged_is_kept_and_alerts_are_shown(tmp_path: Path) -> None:
    """The short form; ``python -m tests.trials.overload`` measures five minutes of it."""
    figures = overload(tmp_path, seconds=1.5, warm_up=0.5)

    assert figures["alerts_failed"] == 0
    assert figures["answers"].keys() <= {200, 503}
    assert figures["acknowledged"] > 0

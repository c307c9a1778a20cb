"""The first command that a newcomer runs, from the sample plant to alerts that its truth confirms."""

from pathlib import Path

import pytest

from tests.trials.demo import require_confirmed, told


@pytest.mark.slow(seconds=35)
def test_the_demo_raises_an_alert_that_the_truth_of_the_sample_plant_confirms(tmp_path: Path) -> None:
    """A short form of ``python -m tests.trials.demo``, with one model of its four."""
    said = told(tmp_path / "demo", models=["pump strangeness"])

    assert [each["model"] for each in said["models"]] == ["pump strangeness"]
    require_confirmed(said)

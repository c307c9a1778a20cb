"""A disk that fails at any step costs nothing that was acknowledged."""

import os
import shutil
from pathlib import Path

import pytest

from tests.trials.failing_disk import WAYS, build, run


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("cc") is None and "CI" not in os.environ, reason="no C compiler (cc) to build the disk that fails"
)
def test_nothing_acknowledged_is_lost_whatever_step_of_the_disk_fails(tmp_path: Path) -> None:
    """The short form; ``python -m tests.trials.failing_disk`` tries every step."""
    said = run(build(tmp_path), every=199)

    assert said.count("nothing lost, nothing doubled") == len(WAYS)

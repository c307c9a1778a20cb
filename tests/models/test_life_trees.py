"""Trees of remaining lives, part by part."""

import numpy as np

from models.life.lives import Lives
from models.life.trees import Growing, grow


def test_a_signal_that_was_read_in_no_row_of_a_part_splits_nothing_there() -> None:
    hours = np.arange(200.0) % 50
    lives = Lives(hours, np.full(200, True), np.arange(200) // 50)
    values = np.column_stack([hours, np.where(np.arange(200) < 100, np.nan, hours)])

    (trees,) = grow(lives, [Growing(values, np.arange(100), 40.0, 1, 20)], seed=0)

    assert np.array_equal(trees.hours(values[100:]), trees.hours(values[:100]))
    assert trees.hours(values[:100])[:50].argmax() > 30

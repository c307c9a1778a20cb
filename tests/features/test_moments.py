"""Windows are combined in one order, whichever blocks of panes are built on the way."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.moments import Moments, no_samples, over_windows
from features.pane import add_samples


def panes_of(count: int, seed: int) -> Moments:
    random = np.random.default_rng(seed)
    panes = no_samples((3, count))
    values = random.normal(1e6, 1.0, (3, 4 * count))
    values[random.random(values.shape) < 0.4] = np.nan
    add_samples(panes, values, np.tile([-0.9, -0.5, -0.2, 0.0], count), np.repeat(np.arange(count), 4))
    panes.cut[:, random.random(count) < 0.05] = True
    return panes


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.sets(st.integers(1, 70), min_size=1, max_size=4).map(sorted),
    more=st.integers(20, 80),
    step=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_few_windows_are_what_they_are_among_many(lengths: list[int], more: int, step: int, seed: int) -> None:
    count = max(lengths) + more
    panes = panes_of(count, seed)
    many = over_windows(panes, lengths, slice(max(lengths) - 1, count), 0.25)
    few = over_windows(panes, lengths, slice(max(lengths) - 1, count, step), 0.25)
    alone = over_windows(panes, lengths, slice(count - 1, count), 0.25)
    for every, some, newest in zip(many, few, alone, strict=True):
        assert [each[:, ::step].tobytes() for each in every] == [each.tobytes() for each in some]
        assert [each[:, -1:].tobytes() for each in every] == [each.tobytes() for each in newest]

"""How well the readings cover a level: a mean over the signals, and the thin ones by name."""

import numpy as np

from models.filled import Filled, filled_of

NAN = float("nan")


def test_each_signal_counts_the_same_and_one_that_was_not_expected_not_at_all() -> None:
    shares = np.array([[1.0, 0.5, 1.0], [0.75, NAN, 0.25], [NAN] * 3], np.float32)

    found = filled_of(("a", "b", "c"), shares, 3)

    assert found == [Filled(2.5 / 3), Filled(0.5, {"c": 0.25}), None]
    assert filled_of(("a",), None, 2) == [None, None]


def test_the_thinnest_come_first_and_a_few_of_many_by_name() -> None:
    names = tuple("abcde")
    (found,) = filled_of(names, np.array([[0.25, 0.0, 0.125, 0.375, 1.0]], np.float32), 1)

    assert found is not None
    assert list(found.thin) == ["b", "c", "a", "d"]
    assert found.words() == "35 % of the expected readings; b 0 %; c 12 %; a 25 %; 1 more under 50 %"


def test_what_is_not_whole_is_never_said_to_be() -> None:
    assert Filled(0.9999).words() == "99 % of the expected readings"

"""What each group of columns adds to any function of rows, by asking it."""

from collections.abc import Callable
from math import factorial

import numpy as np
from numpy.typing import NDArray

MOST_EXACT = 10
"""Groups up to which every combination is asked."""

_ORDERS = 64

Floats = NDArray[np.float64]


def shapley(
    function: Callable[[Floats], Floats],
    row: Floats,
    usual: Floats,
    group_of_column: NDArray[np.intp],
    groups: int,
    *,
    seed: int = 0,
) -> Floats:
    """Return the Shapley value of each group of columns between two rows.

    Groups in which the rows do not differ add nothing and are not asked about. With up to ten others every
    combination is asked, which is exact; beyond, orders are drawn, each together with its reverse. What groups
    add along one order adds up to the whole, so the result does in any case.

    Parameters
    ----------
    function : gives one number for each row of an array of shape (n, n_columns)
    row, usual : shape (n_columns,); NaN where missing
    group_of_column : shape (n_columns,), from 0 to ``groups`` − 1
    seed : of the orders

    Returns
    -------
    array of shape (groups,)
        Sums to the function of ``row`` less that of ``usual``.

    References
    ----------
    Castro, Gómez, Tejada: Polynomial calculation of the Shapley value based on sampling, Computers and
    Operations Research 36, 2009.
    """
    differs = ~((row == usual) | (np.isnan(row) & np.isnan(usual)))
    players = np.unique(group_of_column[differs])
    found = np.zeros(groups)
    if not len(players):
        return found
    place = np.full(groups, len(players))
    place[players] = np.arange(len(players))
    own = place[group_of_column]

    def ask(chosen: NDArray[np.bool_]) -> Floats:
        """Return the function where the chosen players, (n, n_players), are as they are."""
        with_rest = np.column_stack([chosen, np.zeros(len(chosen), np.bool_)])
        return function(np.where(with_rest[:, own], row, usual))

    found[players] = _exact(ask, len(players)) if len(players) <= MOST_EXACT else _drawn(ask, len(players), seed)
    return found


def _exact(ask: Callable[[NDArray[np.bool_]], Floats], players: int) -> Floats:
    numbers = np.arange(2**players)
    chosen = (numbers[:, np.newaxis] >> np.arange(players)) & 1 == 1
    value, size = ask(chosen), chosen.sum(axis=1)
    weight = np.array([factorial(k) * factorial(players - k - 1) / factorial(players) for k in range(players)])
    found = np.zeros(players)
    for player in range(players):
        without = numbers[~chosen[:, player]]
        found[player] = weight[size[without]] @ (value[without | 1 << player] - value[without])
    return found


def _drawn(ask: Callable[[NDArray[np.bool_]], Floats], players: int, seed: int) -> Floats:
    random = np.random.default_rng(seed)
    orders = [random.permutation(players) for _ in range(_ORDERS // 2)]
    orders += [order[::-1] for order in orders]
    rank = np.argsort(orders, axis=1)
    chosen = rank[:, np.newaxis, :] < np.arange(players + 1)[:, np.newaxis]
    value = ask(chosen.reshape(-1, players)).reshape(len(orders), players + 1)
    added = np.diff(value, axis=1)
    return np.take_along_axis(added, rank, axis=1).mean(axis=0)

"""Presses whose rejects depend on one reading, or on none: lots in memory, with the truth beside."""

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from features.recipe import Recipe
from models.levers.lots import Lots

HOUR = timedelta(hours=1)
UNITS = {"mould temperature": "degC"}
LIMIT = 62.0


def recipe_of(signals: int) -> Recipe:
    """Return the recipe of hourly means of the mould temperature and other signals."""
    names = ("mould temperature", *(f"signal {number}" for number in range(1, signals)))
    return Recipe(
        machine_class="press",
        signals=names,
        windows=(HOUR,),
        stride=HOUR,
        features=("mean",),
        every=(timedelta(minutes=10),) * signals,
    )


def slow(random: np.random.Generator, count: int, keeps: float) -> NDArray[np.float64]:
    """Return a series of deviation 1 of which each value keeps a share of the one before."""
    steps = random.standard_normal(count)
    values = np.empty(count)
    values[0] = steps[0]
    for place in range(1, count):
        values[place] = keeps * values[place - 1] + np.sqrt(1 - keeps**2) * steps[place]
    return values


def moulds(
    seed: int,
    *,
    ratio: float = 1.0,
    days: int = 60,
    signals: int = 12,
    machines: int = 2,
    keeps: float = 0.9,
    restless: float = 0.3,
    follower: bool = False,
) -> tuple[Lots, Recipe]:
    """Return hourly lots of two shifts a day; rejects are ``ratio`` times as frequent below 62 degC.

    Parameters
    ----------
    keeps : how much of itself each signal keeps from hour to hour
    restless : deviation of the logarithm of the share of rejects, which is as slow
    follower : whether signal 1 follows the mould temperature, and does nothing itself
    """
    random, recipe = np.random.default_rng(seed), recipe_of(signals)
    count = days * 16
    hours = (np.arange(days)[:, np.newaxis] * 24 + np.arange(6, 22)).ravel().astype("timedelta64[h]")
    parts = []
    for number in range(machines):
        values = np.column_stack([slow(random, count, keeps) for _ in range(signals)])
        if follower:
            values[:, 1] = values[:, 0] + 0.5 * slow(random, count, keeps)
        values[:, 0] = LIMIT + 4 * (values[:, 0] + 0.6)
        share = 0.012 * np.exp(0.3 * number + restless * slow(random, count, keeps))
        share *= np.where(values[:, 0] < LIMIT, ratio, 1.0)
        pieces = random.poisson(150, count)
        rejects = random.binomial(pieces, np.minimum(share, 1.0))
        product = np.array(["cover", "clip"], object)[(np.arange(count) // 48) % 2]
        parts.append((np.full(count, f"press-{number}", object), product, values, pieces, rejects))
    machine, product, values, pieces, rejects = (np.concatenate(each) for each in zip(*parts, strict=True))
    time = np.tile(np.datetime64("2026-01-05", "us") + hours, machines)
    price = np.full(len(time), 3.0)
    lots = Lots(machine, product, time, recipe.names, values, pieces.astype(float), rejects.astype(float), price)
    return lots, recipe

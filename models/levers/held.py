"""Which regions hold on later time, each within what others tell already."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.levers.chance import chances
from models.levers.contrast import Contrast, contrast
from models.levers.lots import Lots
from models.levers.screen import Candidate

CHANCE = 0.05
"""How often, at most, any lever at all is told where there is nothing but chance."""

Rows = NDArray[np.bool_]


@dataclass(slots=True)
class Held:
    """A region that holds on later time.

    Attributes
    ----------
    inside : which of the later lots lie in it
    chance : how likely chance alone shows so much, all candidates counted (Holm)
    with_it : candidates that hold, too, and of which nothing is left within this one
    """

    candidate: Candidate
    inside: Rows
    contrast: Contrast
    chance: float
    with_it: list[Candidate] = field(default_factory=list)


def held(later: Lots, candidates: Sequence[Candidate]) -> list[Held]:
    """Return the candidates that hold on later lots, the most telling of the earlier ones first.

    A candidate is taken where its excess is unlikely by chance and the interval of its ratio, one of as many as there
    are candidates, lies above 1; and where both are still so within the regions that were taken before it. One that
    was taken is let go of where nothing is left of it within one that came later.
    """
    strata, looks = later.strata(), len(candidates)
    insides = [each.region.holds(later.values[:, each.column]) for each in candidates]
    taken: list[Held] = []
    for candidate, inside, chance in zip(candidates, insides, holm(chances(later, insides, strata)), strict=True):
        told = contrast(later, inside, strata, looks=looks)
        if chance > CHANCE or told.ratio.low <= 1:
            continue
        new = Held(candidate, inside, told, chance)
        if taken and not _stands(later, inside, _within(strata, [each.inside for each in taken])):
            _nearest(taken, new).with_it.append(candidate)
        else:
            taken.append(new)
    for each in list(taken):
        others = [other for other in taken if other is not each]
        if others and not _stands(later, each.inside, _within(strata, [other.inside for other in others])):
            taken.remove(each)
            _nearest(others, each).with_it += [each.candidate, *each.with_it]
    return taken


def holm(chances: Sequence[float]) -> list[float]:
    """Return chances that count all looks, step by step (Holm), in their order.

    Examples
    --------
    >>> holm([0.04, 0.01, 0.5])
    [0.08, 0.03, 0.5]
    """
    adjusted, most = [0.0] * len(chances), 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        most = max(most, min(1.0, chances[place] * (len(chances) - rank)))
        adjusted[place] = most
    return adjusted


def _stands(later: Lots, inside: Rows, within: NDArray[np.intp]) -> bool:
    """Say whether a region holds within others; it was shown already, so that there is one look."""
    return chances(later, [inside], within)[0] <= CHANCE and contrast(later, inside, within).ratio.low > 1


def _within(strata: NDArray[np.intp], insides: Sequence[Rows]) -> NDArray[np.intp]:
    """Return strata that are cut by regions as well."""
    return np.unique(np.column_stack([strata, *insides]), axis=0, return_inverse=True)[1].reshape(-1)


def _nearest(taken: Sequence[Held], new: Held) -> Held:
    """Return the region that holds most of the same lots."""
    return max(taken, key=lambda each: (each.inside & new.inside).sum() / max((each.inside | new.inside).sum(), 1))

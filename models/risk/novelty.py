"""Whether a machine looks as none did before a failure whose mode is known: the honest "unknown" of a diagnosis."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.calibration import HealthyTail

Floats = NDArray[np.float64]

DIRECTIONS = 1
"""Of each mode. With two, what sets its failures apart from each other, a new mode hid among the known ones."""

FEWEST_FAILURES = 2
"""Failures that a mode must still have when one is left out, or nothing can be held against it."""

_SHARPNESS = 0.1
_DOUBT = 0.5


@dataclass
class Novelty:
    """How far rows lie from the directions into which machines move before failures of known modes.

    A row is measured in standard deviations from normal. What of it lies outside the span of the known
    directions is what no known mode explains; it is compared with what remained of known failures when they
    were left out of the learning. It is taken relative to how far the row is from normal at all, since a known
    mode that has gone far is never met exactly either.

    How likely a new mode is beforehand follows from how many failures there were without one (Laplace's rule);
    how much likelier the row makes it, from the share of known failures that lie as far out.

    Attributes
    ----------
    basis : orthonormal, shape (n_directions, n_columns)
    floor, slope : squared rest that is usual at no and at each unit of squared explained distance
    tail : of the rest of known failures that were left out
    prior : probability that the next failure is of a mode never seen
    """

    basis: Floats
    floor: float
    slope: float
    tail: HealthyTail
    prior: float

    @classmethod
    def learn(cls, healthy: Floats, failures: Sequence[Floats], modes: Sequence[str]) -> Self | None:
        """Learn from the rows before failures.

        Parameters
        ----------
        healthy : standardised rows of healthy time, shape (n, n_columns)
        failures : standardised rows before each failure, shape (n_i, n_columns) each
        modes : of each failure

        Returns
        -------
        ``None`` where no mode has enough failures to leave one out.
        """
        held: list[tuple[Floats, Floats]] = []
        blocks: list[NDArray[np.intp]] = []
        for place, (rows, mode) in enumerate(zip(failures, modes, strict=True)):
            others = [at for at in range(len(modes)) if at != place]
            if sum(modes[at] == mode for at in others) >= FEWEST_FAILURES and len(rows):
                basis = _basis([failures[at] for at in others], [modes[at] for at in others])
                held.append(_split(rows, basis))
                blocks.append(np.full(len(rows), place))
        if not held:
            return None
        basis = _basis(failures, modes)
        inside, outside = (np.concatenate(parts) for parts in zip(*held, strict=True))
        floor = float(np.median(_split(healthy, basis)[1])) if len(healthy) else float(np.median(outside))
        floor = max(floor, 1e-9)
        weight = np.concatenate([np.full(len(each), 1 / len(each)) for each in blocks])
        slope = float((weight * inside * np.maximum(0, outside - floor)).sum() / max((weight * inside**2).sum(), 1e-9))
        tail = HealthyTail.learn(_relative(inside, outside, floor, slope), np.concatenate(blocks))
        return cls(basis, floor, slope, tail, 1 / (len(failures) + 2))

    def probability(self, rows: Floats) -> Floats:
        """Return how likely it is that what is ahead is of no known mode, given that a failure is.

        Parameters
        ----------
        rows : standardised, shape (n, n_columns)
        """
        inside, outside = _split(rows, self.basis)
        share = 1 - self.tail(_relative(inside, outside, self.floor, self.slope))
        likelier = _SHARPNESS * np.maximum(share, 1e-9) ** (_SHARPNESS - 1)
        odds = self.prior / (1 - self.prior) * likelier
        return odds / (1 + odds)


def _basis(failures: Sequence[Floats], modes: Sequence[str]) -> Floats:
    """Return orthonormal directions that hold what is common to the failures of each mode."""
    found = []
    for mode in sorted(set(modes)):
        own = [rows for rows, of in zip(failures, modes, strict=True) if of == mode and len(rows)]
        if own:
            weighted = np.concatenate([rows / np.sqrt(len(rows)) for rows in own])
            _, sizes, directions = np.linalg.svd(weighted, full_matrices=False)
            kept = directions[:DIRECTIONS][sizes[:DIRECTIONS] > _DOUBT]
            found.append(kept)
    stacked = np.concatenate(found) if found else np.empty((0, failures[0].shape[1] if failures else 0))
    if not len(stacked):
        return stacked
    _, sizes, directions = np.linalg.svd(stacked, full_matrices=False)
    return np.asarray(directions[sizes > 1e-6])


def _split(rows: Floats, basis: Floats) -> tuple[Floats, Floats]:
    """Return the squared distance from normal inside and outside the span of the directions."""
    along = rows @ basis.T
    inside = (along**2).sum(axis=1)
    return inside, np.maximum(0, (rows**2).sum(axis=1) - inside)


def _relative(inside: Floats, outside: Floats, floor: float, slope: float) -> Floats:
    return outside / (floor + slope * inside)

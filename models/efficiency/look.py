"""What a control chart says of each point."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Look:
    """Which rules each point completes, and to which side.

    Attributes
    ----------
    fired : shape (n_rules, ..., n_points)
    side : the same shape; 1 up or above, −1 down or below, 0 where the rule has not fired, has no side, or fired
        on both
    """

    fired: Flags
    side: NDArray[np.int8]

    @property
    def signals(self) -> Flags:
        """Which points complete any rule, shape (..., n_points)."""
        found: Flags = np.logical_or.reduce(self.fired, axis=0)
        return found

    @classmethod
    def of_sides(cls, above: list[Flags], below: list[Flags]) -> "Look":
        """Build it of rules that each look above and below; where both fire there is no side.

        Parameters
        ----------
        above, below : one array of shape (..., n_points) for each rule
        """
        up, down = np.stack(above), np.stack(below)
        return cls(up | down, up.astype(np.int8) - down.astype(np.int8))


def checked(standardised: Floats) -> Floats:
    """Return points as floats.

    Raises
    ------
    ValueError
        Where a point is not a finite number: a chart has no rule for one, so leave it out first.
    """
    points = np.asarray(standardised, dtype=np.float64)
    if not np.isfinite(points).all():
        raise ValueError("a control chart takes finite points; leave out those that are missing")
    return points

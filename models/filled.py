"""How well the readings cover what a model said: a quality figure beside its number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

THIN = 0.5
"""A signal of which less than this share of the expected readings came is named."""
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Filled:
    """Which share of the expected readings a number was built from.

    Attributes
    ----------
    share : mean over the signals, 0 to 1: each counts the same, however often it is read
    thin : share of each signal of which less than half came, thinnest first
    """

    share: float
    thin: Mapping[str, float] = field(default_factory=dict)

    def words(self) -> str:
        """Say it in a few words.

        Examples
        --------
        >>> Filled(0.83, {"flow": 0.41}).words()
        '83 % of the expected readings; flow 41 %'
        """
        return "; ".join([f"{_percent(self.share)} of the expected readings", *self.thin_words()])

    def thin_words(self) -> Iterator[str]:
        """Yield the thin signals with their shares, a few of them by name."""
        those = list(self.thin.items())
        yield from (f"{signal} {_percent(share)}" for signal, share in those[:_NAMED])
        if len(those) > _NAMED:
            yield f"{len(those) - _NAMED} more under {_percent(THIN)}"


def filled_of(signals: Sequence[str], shares: NDArray[np.float32] | None, rows: int) -> list[Filled | None]:
    """Return what each row was built from; ``None`` where nothing was expected, or nobody knows.

    Parameters
    ----------
    shares : of each signal in each row, shape (n_rows, n_signals), NaN where nothing was expected
    rows : how many there are
    """
    if shares is None or not signals:
        return [None] * rows
    known = ~np.isnan(shares)
    count = known.sum(axis=1)
    mean = np.where(known, shares, 0.0).sum(axis=1, dtype=np.float64) / np.maximum(count, 1)
    found = [Filled(share) if some else None for share, some in zip(mean.tolist(), count > 0, strict=True)]
    for row in np.flatnonzero((shares < THIN).any(axis=1)).tolist():
        read = zip(shares[row].tolist(), signals, strict=True)
        thinnest = sorted((share, signal) for share, signal in read if share < THIN)
        found[row] = Filled(float(mean[row]), {signal: share for share, signal in thinnest})
    return found


def _percent(share: float) -> str:
    if 0 < share < 0.01:
        return "under 1 %"
    return f"{min(round(100 * share), 100 if share == 1 else 99)} %"

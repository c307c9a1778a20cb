"""Which columns stand for a signal when it is held against what is expected."""

from collections.abc import Sequence
from typing import NamedTuple

from features.catalogue import feature_in
from features.column import RESIDUAL, SEPARATOR, signal_of

_COMPARED = (RESIDUAL, "mean_shift", "mean")
"""Best first: given the other signals, against the machine's own beginning, as it is."""


class Watched(NamedTuple):
    """How a signal is watched.

    Attributes
    ----------
    shown : name of the column that people are shown, in the signal's unit
    compared : name of the column whose distance from its normal is the distance from what is expected
    """

    signal: str
    shown: str
    compared: str


def watched(names: Sequence[str]) -> tuple[Watched, ...]:
    """Return how each signal is watched in its first, which is its shortest, window.

    Examples
    --------
    >>> watched(("flow__mean__4h", "flow__mean__24h", "heat__mean__4h", "heat__residual__4h", "errors__4h"))[0]
    Watched(signal='flow', shown='flow__mean__4h', compared='flow__mean__4h')
    >>> watched(("heat__mean__4h", "heat__residual__4h"))[0].compared
    'heat__residual__4h'
    """
    found: dict[str, Watched] = {}
    known = set(names)
    for name in names:
        signal, feature = signal_of(name), feature_in(name)
        if not signal or signal in found or feature.tells != "level" or feature.name in _COMPARED[:2]:
            continue
        compared = name
        if feature.name == "mean":
            window = name.removeprefix(f"{signal}{SEPARATOR}mean{SEPARATOR}")
            own = (SEPARATOR.join((signal, each, window)) for each in _COMPARED)
            compared = next(each for each in own if each in known)
        found[signal] = Watched(signal, name, compared)
    return tuple(found.values())

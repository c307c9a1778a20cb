"""The mean of each signal over its shortest window: what control systems set limits on."""

from collections.abc import Sequence

from features.column import SEPARATOR, signal_of
from ingest.duration import parse_duration


def shortest_means(names: tuple[str, ...], features: Sequence[str] = ("mean",)) -> list[int]:
    """Return the columns that hold the mean of each signal over its shortest window.

    Parameters
    ----------
    features : those that are taken for a mean; the RMS of the velocity is one, of a waveform

    Examples
    --------
    >>> shortest_means(("a__mean__24h", "a__mean__3h", "a__mean_change__3h_vs_24h", "hours_since_failure"))
    [1]
    """
    shortest: dict[str, int] = {}
    for column, name in enumerate(names):
        signal, words = signal_of(name), name.rsplit(SEPARATOR, 2)
        if not signal or words[1] not in features:
            continue
        other = shortest.get(signal)
        if other is None or parse_duration(words[2]) < parse_duration(names[other].rsplit(SEPARATOR, 1)[1]):
            shortest[signal] = column
    return list(shortest.values())

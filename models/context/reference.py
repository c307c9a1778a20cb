"""Where machines of a class are run, reading by reading, and what their signals read there."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.align import max_age
from features.reference import Reference
from features.regimes import Regimes
from features.running import Running
from ingest.history import History
from ingest.plant import MachineClass
from models.context.duties import FEWEST_WINDOWS, mixture_of, scale_of

_MOST_READINGS = 4_000
_ORDINARY = 0.999
_MARGIN = 3.0
_NARROWEST = 0.05

Floats = NDArray[np.float64]


def reference_of(
    machine_class: MachineClass,
    history: History,
    machines: Sequence[str],
    until: datetime,
    *,
    sampling: Mapping[str, timedelta],
) -> Reference | None:
    """Learn where machines are run; ``None`` where no signal says so, or all they do is one and the same.

    No label is used, and nothing after ``until``.

    Parameters
    ----------
    machines : those that may be learnt from
    sampling : time between two readings of each signal
    """
    used = _used_as_read(machine_class, sampling)
    operating = [each for each in machine_class.slow_signals if each.operating]
    signals = tuple(each.name for each in machine_class.slow_signals if not each.operating and each.name not in used)
    if not operating or not signals:
        return None
    names = tuple(each.name for each in operating)
    read = history.read(machine_class.name, machines=machines, signals=(*names, *signals), end=until).table
    orders = _numbers(read, names)
    known = np.isfinite(orders).all(axis=1)
    orders = orders[known]
    if len(orders) < FEWEST_WINDOWS:
        return None
    centre = np.median(orders, axis=0)
    scale = scale_of(orders)
    places = (orders - centre) / scale
    # In an order of their own, so that the order of machines changes nothing.
    places_sorted = places[np.lexsort(places.T[::-1])]
    chosen = np.linspace(0, len(places) - 1, min(len(places), _MOST_READINGS)).astype(np.intp)
    found = mixture_of(places_sorted[chosen])
    if len(found.means_) < 2:
        return None
    points = found.means_[np.lexsort(found.means_.T[::-1])]
    away = np.stack([np.sqrt(((places - point) ** 2).sum(axis=1)) for point in points], axis=1)
    nearest = away.argmin(axis=1)
    reach = max(_MARGIN * float(np.quantile(away.min(axis=1), _ORDINARY)), _NARROWEST)
    values = _numbers(read, signals)[known]
    level, spread, share = _by_point(values, nearest, len(points))
    usual, width = (share * level).sum(axis=0), np.sqrt((share * spread**2).sum(axis=0))
    hold = max(max_age(each, sampling[each.name]) for each in operating)
    return Reference(
        operating=names,
        centre=_plain(centre),
        scale=_plain(scale),
        points=tuple(map(_plain, points)),
        reach=reach,
        signals=signals,
        level=tuple(map(_plain, level)),
        spread=tuple(map(_plain, spread)),
        usual=_plain(usual),
        width=_plain(width),
        hold=hold,
    )


def _used_as_read(machine_class: MachineClass, sampling: Mapping[str, timedelta]) -> set[str]:
    """Return the signals that expressions and spectra take as they are."""
    asked = (Running.of(machine_class, sampling), Regimes.of(machine_class, sampling))
    named = {name for each in asked if each is not None for name in each.signals}
    return named | {each.speed for each in machine_class.waveforms if each.speed}


def _by_point(values: Floats, point: NDArray[np.intp], count: int) -> tuple[Floats, Floats, Floats]:
    """Return mean, standard deviation and share of the readings of each signal at each point.

    Where a signal was never read at a point, the mean over all points stands for it.
    """
    shape = count, values.shape[1]
    level, spread, share = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    whole = [each[np.isfinite(each)] for each in values.T]
    for place, own in enumerate(whole):
        level[:, place] = own.mean() if len(own) else 0.0
    for number in range(count):
        rows = values[point == number]
        for place, own in enumerate(rows.T):
            known = np.sort(own[np.isfinite(own)])
            if len(known):
                level[number, place], spread[number, place] = known.mean(), known.std()
                share[number, place] = len(known) / len(whole[place])
    return level, spread, share


def _numbers(table: pa.Table, names: Sequence[str]) -> Floats:
    return np.stack([table[name].to_numpy() for name in names], axis=1).astype(np.float64)


def _plain(values: Floats) -> tuple[float, ...]:
    return tuple(values.tolist())

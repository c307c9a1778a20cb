"""Why there is an alert: what makes its level, what was expected of its signals, and what began alike."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ingest.errors import AndonError
from models.believed import beside_peers
from models.bundle import Bundle
from models.explain import described, with_repairs
from models.finding import Why
from models.registry.registry import Registry
from models.why.band import Expectation
from models.why.shape import Shapes, likeness
from models.why.similar import SimilarEpisode
from service.alerts import book
from service.alerts.alert import Alert, AlertState
from service.alerts.kept_why import kept_why, kept_whys
from service.control_room import ControlRoom

MOST_SIMILAR = 3
"""Past episodes that are shown."""

_MOST_SIGNALS = 5
_MOST_EARLIER = 200
_LOADED = 8


@dataclass(frozen=True, slots=True)
class Expected:
    """A signal against what was expected of it, with its unit and its feature in words."""

    signal: str
    unit: str
    feature: str
    series: Expectation


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is an alert, as far as that is known.

    Attributes
    ----------
    why : what makes its level; ``None`` for a sensor fault and for alerts from before it was kept
    expected : the signals that speak for it, strongest first, from two horizons before the moment of ``why``
    similar : past episodes and earlier alerts that began alike, most alike first
    unsaid : why the model could not be asked; empty if it could
    """

    why: Why | None = None
    expected: tuple[Expected, ...] = ()
    similar: tuple[SimilarEpisode, ...] = ()
    unsaid: str = ""


def reason_of(room: ControlRoom, alert: Alert, *, now: datetime) -> Reason:
    """Return why there is an alert; what its model said is kept, what was expected is worked out from the readings.

    Parameters
    ----------
    now : readings up to then are shown, and of an alert that is over up to its end
    """
    with room.state.read() as connection:
        why = kept_why(connection, alert.number)
    if why is None:
        return Reason()
    try:
        bundle = _loaded(room.registry, alert.model, alert.version)
        similar = with_repairs(room.store, _similar(room, alert, bundle, why), why.at)
        expected = _expected(room, alert, bundle, why, until=min(now, alert.condition_end or now))
    except AndonError as error:
        return Reason(why, unsaid=str(error))
    return Reason(why, expected, similar)


def _expected(room: ControlRoom, alert: Alert, bundle: Bundle, why: Why, *, until: datetime) -> tuple[Expected, ...]:
    """Return what was expected, at no more window ends than three horizons hold."""
    if bundle.band is None:
        return ()
    start = why.at - 2 * bundle.entry.horizon
    end = max(why.at, min(until, why.at + bundle.entry.horizon))
    machine_class = room.plant.class_named(bundle.entry.machine_class)
    table = beside_peers(bundle, machine_class, room.store, [alert.machine], start, end).table
    if not len(table):
        return ()
    signals = [each.signal for each in alert.evidence][:_MOST_SIGNALS]
    found = bundle.band.expectations(bundle.seen(table), bundle.normal, signals)
    return tuple(
        Expected(each.signal, bundle.units.get(each.signal, ""), described(each.column)[2], each) for each in found
    )


def _similar(room: ControlRoom, alert: Alert, bundle: Bundle, why: Why) -> list[SimilarEpisode]:
    """Return the episodes that the model remembers and the alerts with a verdict that began most alike."""
    if bundle.episodes is None or not _drawn_alike(bundle.episodes.shapes, why):
        return []
    shapes = bundle.episodes.shapes
    found = bundle.episodes.nearest(_departures(shapes, why), why.at, MOST_SIMILAR)
    found += _earlier_alerts(room, alert, shapes, why)
    if room.shown is not None:
        shown = set(room.shown)
        found = [each for each in found if each.machine in shown]
    return sorted(found, key=lambda each: (-each.likeness, -each.begin.timestamp()))[:MOST_SIMILAR]


def _earlier_alerts(room: ControlRoom, alert: Alert, shapes: Shapes, why: Why) -> list[SimilarEpisode]:
    """Return the alerts with a verdict by the moment of ``why`` whose shapes have the same columns."""
    with room.state.read() as connection:
        past = book.list_alerts(
            connection, states=[AlertState.NORMAL], before=alert.number, machines=room.shown, limit=_MOST_EARLIER
        )
        judged = [each for each in past if each.verdict is not None and each.closed_at and each.closed_at <= why.at]
        kept = kept_whys(connection, [each.number for each in judged])
    own = shapes.whitened(_departures(shapes, why))
    found = []
    for each in judged:
        then = kept.get(each.number)
        if then is None or not _drawn_alike(shapes, then):
            continue
        shape = shapes.whitened(_departures(shapes, then))
        found.append(
            SimilarEpisode(
                machine=each.machine,
                kind="alert",
                begin=each.condition_begin,
                component=each.cause,
                code=str(each.verdict),
                note=each.note,
                likeness=float(likeness(shape[np.newaxis], own)[0]),
                hours_before=(each.condition_begin - then.at) / timedelta(hours=1),
                alert=each.number,
            )
        )
    return found


def _drawn_alike(shapes: Shapes, why: Why) -> bool:
    return set(shapes.columns) == set(why.departures)


def _departures(shapes: Shapes, why: Why) -> NDArray[np.float64]:
    return np.array([why.departures[name] for name in shapes.columns], dtype=np.float64)


@lru_cache(maxsize=_LOADED)
def _loaded(registry: Registry, model: str, version: str) -> Bundle:
    """Return a version, which never changes once it is there; loading one takes long for somebody who waits."""
    return registry.load(model, version)

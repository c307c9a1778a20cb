"""What events tell of one machine: layers of what it did, its orders and its pieces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.microsecond import Times, microseconds, time_of
from features.production.bucket import FAILED, MEANINGS, NOT_PLANNED, PLANNED_STOP, RUNNING, STOPPED, UNKNOWN
from features.production.calendar import OFF, ON, Planned
from features.production.pieces import OUTCOMES, Pieces
from features.production.stretches import NOTHING, Stretches, ascending
from ingest.plant import Plant
from ingest.plant_production import Words

_NEVER = np.iinfo(np.int64).max
_NOTHING_TOLD = np.empty(0, np.int64)
KINDS = ("state", "stop", "maintenance", "inspection", "failure", "order", "count", "shift")
"""Kinds of events that say what became of time."""


@dataclass(slots=True)
class Lexicon:
    """What is said of a machine, by number: what it means, and the plant's own word for it.

    Attributes
    ----------
    meaning : number of the meaning of each, among ``MEANINGS``
    word : the plant's own word; empty where there is none
    """

    meaning: list[int] = field(default_factory=list)
    word: list[str] = field(default_factory=list)
    _numbers: dict[tuple[int, str], int] = field(default_factory=dict)

    def number(self, meaning: int, word: str = "") -> int:
        """Return the number of a saying; a new one if it was not said before."""
        found = self._numbers.setdefault((meaning, word), len(self.word))
        if found == len(self.word):
            self.meaning.append(meaning)
            self.word.append(word)
        return found

    def meanings(self, said: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the meaning of each saying; ``UNKNOWN`` where nothing is said."""
        return np.array([*self.meaning, UNKNOWN], np.int64)[said]


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one machine's production.

    Attributes
    ----------
    layers : what it did, the lowest rank first, by numbers of the lexicon
    lexicon : what those numbers mean
    products : names of products, by number
    orders : which product was made from when on, by number; ``NOTHING`` where the order does not say
    pieces : what was counted
    shifts : shifts that events tell of
    endless : how many failures, works and shifts have no end, and so take no time
    unread : how many counts are neither good nor scrap nor rework, or have no number
    """

    layers: tuple[Stretches, ...]
    lexicon: Lexicon
    products: tuple[str, ...]
    orders: Stretches
    pieces: Pieces
    shifts: tuple[Planned, ...] = ()
    endless: int = 0
    unread: int = 0


def words_of(plant: Plant, machine: str) -> dict[str, int]:
    """Return the number of the meaning of each word; those of the machine's class go before the plant's."""
    spoken: dict[str, int] = {}
    for words in (plant.production.words, plant.class_of(machine).words):
        spoken |= {word: MEANINGS.index(key) for key in Words.model_fields for word in getattr(words, key)}
    return spoken


def told_of(plant: Plant, machine: str, events: pd.DataFrame, end: int, inferred: Sequence[Stretches] = ()) -> Told:
    """Return what events tell of a machine.

    Parameters
    ----------
    events : of this machine, with ``EVENT_COLUMNS``, sorted by time
    end : of the time that is looked at; a state that is not over holds until then
    inferred : when signals say that it ran or stood, by the numbers of ``MEANINGS``; it ranks below states
    """
    words, lexicon = words_of(plant, machine), Lexicon()
    own = _by_kind(events)
    hold = plant.production.state_holds
    states = Stretches.until_next(
        _moments(own["state"], "time"),
        _moments(own["state"], "end"),
        _said(own["state"], words, lexicon, UNKNOWN),
        end,
        None if hold is None else microseconds(hold),
    )
    work = pd.concat([own["maintenance"], own["inspection"]]) if len(own["inspection"]) else own["maintenance"]
    layers = [
        *([_in_orders(own["order"], lexicon)] if plant.production.in_orders == "running" else []),
        *(_by_meaning(each, lexicon) for each in inferred),
        states,
        _stops(own, _said(own["stop"], words, lexicon, STOPPED), end),
        _lasting(work, _said(work, {}, lexicon, PLANNED_STOP)),
        _lasting(own["failure"], _said(own["failure"], {}, lexicon, FAILED)),
    ]
    products = list(dict.fromkeys(each.name for each in plant.products))
    pieces, unread = _pieces(own["count"], products)
    return Told(
        layers=tuple(layers),
        lexicon=lexicon,
        orders=_orders(own["order"], products, end),
        products=tuple(products),
        pieces=pieces,
        shifts=tuple(_shifts(plant, own["shift"], words)),
        endless=sum(int(own[kind]["end"].isna().sum()) for kind in ("failure", "maintenance", "shift")),
        unread=unread,
    )


def _by_kind(events: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the events of each kind, also of those that did not happen."""
    codes, names = pd.factorize(events["kind"].to_numpy(object))
    places = {name: place for place, name in enumerate(names)}
    needed = events[["time", "end", "component", "code", "value"]]
    return {kind: needed.iloc[np.flatnonzero(codes == places.get(kind, NOTHING - 1))] for kind in KINDS}


def _said(events: pd.DataFrame, words: Mapping[str, int], lexicon: Lexicon, otherwise: int) -> NDArray[np.int64]:
    """Return the number of what each event says by its code."""
    codes, spoken = pd.factorize(events["code"].to_numpy(object))
    numbers = [lexicon.number(words.get(word, otherwise), word) for word in spoken]
    return np.array(numbers, np.int64)[codes] if len(codes) else _NOTHING_TOLD


def _lasting(events: pd.DataFrame, said: NDArray[np.int64]) -> Stretches:
    stop = _moments(events, "end")
    ended = stop != _NEVER
    return Stretches.overlapping(_moments(events, "time")[ended], stop[ended], said[ended])


def _stops(own: Mapping[str, pd.DataFrame], said: NDArray[np.int64], end: int) -> Stretches:
    """Return stops; one without an end lasts until the machine tells of anything else."""
    begin, stop = _moments(own["stop"], "time"), _moments(own["stop"], "end")
    if (stop == _NEVER).any():
        told = [np.sort(_moments(own[kind], "time")) for kind in ("state", "stop", "order", "count")]
        later = np.append(ascending(told), end)
        following = later[np.minimum(np.searchsorted(later, begin, side="right"), len(later) - 1)]
        stop = np.where(stop == _NEVER, following, stop)
    return Stretches.overlapping(begin, stop, said)


def _by_meaning(stretches: Stretches, lexicon: Lexicon) -> Stretches:
    numbers = np.array([lexicon.number(meaning) for meaning in range(len(MEANINGS))], np.int64)
    return Stretches(stretches.begin, stretches.stop, numbers[stretches.what])


def _in_orders(events: pd.DataFrame, lexicon: Lexicon) -> Stretches:
    return _lasting(events, np.full(len(events), lexicon.number(RUNNING)))


def _orders(events: pd.DataFrame, products: list[str], end: int) -> Stretches:
    """Return which product was on the machine; what an order made last stays on it until the next one begins."""
    begin = _moments(events, "time")
    return Stretches.until_next(begin, np.full(len(begin), _NEVER), _products(events, products), end)


def _products(events: pd.DataFrame, products: list[str]) -> NDArray[np.int64]:
    """Return the number of each event's product; names that are new are added."""
    codes, names = pd.factorize(events["component"].to_numpy(object))
    numbers = []
    for name in names:
        if name and name not in products:
            products.append(name)
        numbers.append(products.index(name) if name else NOTHING)
    return np.array(numbers, np.int64)[codes] if len(codes) else _NOTHING_TOLD


def _pieces(events: pd.DataFrame, products: list[str]) -> tuple[Pieces, int]:
    codes, names = pd.factorize(events["code"].to_numpy(object))
    known = np.array([OUTCOMES.index(name) if name in OUTCOMES else NOTHING for name in names] or [NOTHING], np.int64)
    outcome = known[codes] if len(codes) else _NOTHING_TOLD
    amount = events["value"].to_numpy(np.float64)
    time, stop = _moments(events, "time"), _moments(events, "end")
    found = Pieces(time, np.where(stop == _NEVER, time, stop), _products(events, products), outcome, amount)
    read = (outcome != NOTHING) & (amount >= 0)
    return (found if read.all() else found.where(read)), int((~read).sum())


def _shifts(plant: Plant, events: pd.DataFrame, words: Mapping[str, int]) -> list[Planned]:
    found = []
    for begin, stop, code in zip(_moments(events, "time"), _moments(events, "end"), events["code"], strict=True):
        if stop == _NEVER:
            continue
        day = time_of(int(begin)).astimezone(plant.zone).date()
        planned = OFF if words.get(code) == NOT_PLANNED else ON
        found.append(Planned(int(begin), int(stop), str(code), day, planned))
    return found


def _moments(events: pd.DataFrame, column: str) -> Times:
    stamps = events[column].to_numpy("datetime64[us]")
    return np.where(np.isnat(stamps), _NEVER, stamps.astype(np.int64))

"""Past episodes that began alike: what a machine looked like before them, and which are nearest to it now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from models.anomaly.usual import Usual
from models.moment import as_datetime, instant, instants, span
from models.rows import machine_rows
from models.why.shape import REACH, Shapes, likeness, likenesses

NEAR = 0.5
"""Likeness from which an episode is worth naming in a sentence: of those, six in seven turn out to be of one mode."""

KINDS = ("failure", "inspection")
"""Kinds of events that are remembered beside the model's target; an inspection only with a note or component."""

_UNTIL_FIXED = timedelta(days=7)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What was done after an episode."""

    time: datetime
    component: str
    code: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarEpisode:
    """A past episode before which a machine looked as one does now.

    Attributes
    ----------
    kind : of the event, or "alert"
    begin : of the event or alert
    component, code, note : what was found
    likeness : 1 for the same shape and size, 0 for nothing in common or nothing but noise, below 0 for opposite shapes
    hours_before : how long before ``begin`` it looked most alike
    repairs : what was done in the week after it, as far as it was known
    alert : number of the earlier alert; 0 for an event
    """

    machine: str
    kind: str
    begin: datetime
    component: str
    code: str
    note: str
    likeness: float
    hours_before: float
    repairs: tuple[Repair, ...] = ()
    alert: int = 0


@dataclass
class Episodes:
    """Past episodes with the shapes that their machines had before them.

    Attributes
    ----------
    shapes : how they are drawn
    machine, kind, component, code, note : of each episode
    begin, end : of each episode, microseconds since 1970 UTC; ``end`` is when it was known whole
    first : where each episode's shapes begin among all, shape (n_episodes + 1,)
    time : of each shape, microseconds since 1970 UTC, shape (n_shapes,)
    shape : float32 array of shape (n_shapes, n_columns)
    """

    shapes: Shapes
    machine: tuple[str, ...]
    kind: tuple[str, ...]
    component: tuple[str, ...]
    code: tuple[str, ...]
    note: tuple[str, ...]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    first: NDArray[np.int64]
    time: NDArray[np.int64]
    shape: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.machine)

    @classmethod
    def learn(
        cls,
        table: FeatureTable,
        events: pd.DataFrame,
        target: str,
        horizon: timedelta,
        shapes: Shapes,
        normal: Usual,
    ) -> Self:
        """Remember what machines looked like before the events that are known.

        An episode whose machine was not watched before it has no shape, and is left out.

        Parameters
        ----------
        table : as a learner sees it
        events : table with ``EVENT_COLUMNS``
        target : kind of the events that the model is to foresee
        """
        chosen = _worth_remembering(events, target)
        rows = machine_rows(table.machine)
        kept, parts, times = [], [], []
        last: dict[str, np.datetime64] = {}
        for place, (machine, begin) in enumerate(zip(chosen["machine"], instants(chosen["time"]), strict=True)):
            before, last[machine] = last.get(machine), begin
            if machine not in rows:
                continue
            own = table.time[rows[machine]]
            reach = begin - span(horizon * REACH)
            since = reach if before is None else max(reach, before)
            part = table.where(rows[machine].start + np.flatnonzero((own < begin) & (own > since)))
            if len(part):
                parts.append(shapes.of(part, normal).astype(np.float32))
                times.append(part.time.astype("datetime64[us]").astype(np.int64))
                kept.append(place)
        own_events = chosen.iloc[kept]
        begin = instants(own_events["time"]).astype(np.int64)
        end = instants(own_events["end"]).astype("datetime64[us]")
        words = {name: tuple(map(str, own_events[name])) for name in ("machine", "kind", "component", "code", "note")}
        return cls(
            shapes,
            **words,
            begin=begin,
            end=np.where(np.isnat(end), begin, end.astype(np.int64)).astype(np.int64),
            first=np.cumsum([0, *map(len, parts)]).astype(np.int64),
            time=np.concatenate([np.empty(0, np.int64), *times]),
            shape=np.concatenate([np.empty((0, len(shapes.columns)), np.float32), *parts]),
        )

    def nearest(self, departures: Floats, at: datetime, count: int = 3) -> list[SimilarEpisode]:
        """Return the episodes before a moment that began most alike, the most alike first.

        Parameters
        ----------
        departures : of a machine now, by ``Shapes.departures``, shape (n_columns,)
        at : episodes that were not over by then are not looked at
        """
        now = int(instant(at).astype(np.int64))
        known = [place for place in range(len(self)) if self.end[place] <= now and self.begin[place] < now]
        alike = likeness(self.shape.astype(np.float64), self.shapes.whitened(departures))
        best = {place: self._best(alike, place) for place in known}
        order = sorted(known, key=lambda place: (-alike[best[place]], -self.begin[place], self.machine[place]))
        return [
            SimilarEpisode(
                machine=self.machine[place],
                kind=self.kind[place],
                begin=as_datetime(np.datetime64(int(self.begin[place]), "us")),
                component=self.component[place],
                code=self.code[place],
                note=self.note[place],
                likeness=float(alike[best[place]]),
                hours_before=float(self.begin[place] - self.time[best[place]]) / 3.6e9,
            )
            for place in order[:count]
        ]

    def most_alike(
        self, shapes: Floats, machine: NDArray[np.object_], time: NDArray[np.datetime64], kind: str
    ) -> Floats:
        """Return the greatest likeness of each shape to any before an event of a kind, its own event left out.

        Parameters
        ----------
        shapes : by ``Shapes.of``, shape (n, n_columns)
        machine, time : of each of them, shape (n,)

        Returns
        -------
        array of shape (n,), −1 where there is nothing that it could be like
        """
        found = np.full(len(shapes), -1.0)
        moment = time.astype("datetime64[us]").astype(np.int64)
        for place in (place for place, own in enumerate(self.kind) if own == kind):
            those = slice(int(self.first[place]), int(self.first[place + 1]))
            since = self.time[those][0]
            own = (machine == self.machine[place]) & (moment >= since) & (moment <= self.begin[place])
            rows = np.flatnonzero(~own)
            found[rows] = np.maximum(
                found[rows], likenesses(self.shape[those].astype(np.float64), shapes[rows]).max(axis=1)
            )
        return found

    def _best(self, alike: Floats, place: int) -> int:
        first, last = int(self.first[place]), int(self.first[place + 1])
        return first + int(np.argmax(alike[first:last]))


def repairs_after(maintenance: pd.DataFrame, machine: str, begin: datetime, known: datetime) -> tuple[Repair, ...]:
    """Return the maintenance of a machine that began in the week after a moment and was known by another one.

    Parameters
    ----------
    maintenance : events of kind maintenance
    """
    times = maintenance["time"]
    until = min(pd.Timestamp(begin + _UNTIL_FIXED), pd.Timestamp(known))
    own = maintenance[(maintenance["machine"] == machine) & (times >= pd.Timestamp(begin)) & (times <= until)]
    words = (own[name].astype(str) for name in ("component", "code", "note"))
    return tuple(
        Repair(time=as_datetime(time), component=component, code=code, note=note)
        for time, component, code, note in zip(instants(own["time"]), *words, strict=True)
    )


def _worth_remembering(events: pd.DataFrame, target: str) -> pd.DataFrame:
    """Return the events that are remembered, those of one machine and time once, in order of time."""
    said = (events["note"] != "") | (events["component"] != "")
    chosen = events["kind"].isin([*KINDS, target]) & (
        (events["kind"] != "inspection") | said | (target == "inspection")
    )
    ordered = events[chosen].sort_values(["time", "machine"], kind="stable")
    return ordered.drop_duplicates(["machine", "time"]).reset_index(drop=True)

"""A machine that became the bottleneck of its line: it holds the others up more than it used to, and most of all."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from features.microsecond import HOUR
from models.efficiency.bottleneck import held_up
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look, Record
from models.efficiency.finders.rise import MeanScores, lasting_rise
from models.efficiency.finders.told import Since
from models.efficiency.finders.words import since_words
from models.finding import Evidence

NAME = "bottleneck shift"
LEAST_RISE, LEAST_SHARE = 0.15, 0.5
"""A share of time that is higher by less, or that is less than half, is no other bottleneck."""
_WAITS = ("starved", "blocked")
_LEAST_HOURS = 1.0

Floats = NDArray[np.float64]


def bottleneck_shift(look: Look) -> list[FoundLoss]:
    """Return that a machine became the bottleneck of its line; at most one, and none where no machine tells of waits.

    It has no money of its own: it says whose lost time the line cannot make up for.
    """
    line = [*look.upstream[::-1], look.machine, *look.downstream]
    record = look.record
    busy = record.per_shift("busy")
    worked = np.flatnonzero(busy >= _LEAST_HOURS)
    if len(line) < 2 or not len(worked) or not any(_waited(look.record_of(name), _WAITS).any() for name in line):
        return []
    begins, stops = (record.shifts[name].to_numpy(np.int64)[worked] for name in ("begin", "stop"))
    held = held_up([look.record_of(name).parts for name in line], begins, stops)
    share = held[line.index(look.machine)] / np.maximum(held.sum(axis=0), 1.0)
    # Roots of shares as angles, so that they vary alike near nothing, half and all. One line is one matter.
    rise = lasting_rise(MeanScores(np.arcsin(np.sqrt(share)), busy[worked]), series=len(line))
    if rise is None:
        return []
    usual, since = rise.usual, np.arange(rise.first, len(worked))
    before, after = (held[:, places].sum(axis=1) / max(held[:, places].sum(), 1.0) for places in (usual, since))
    own = line.index(look.machine)
    if after[own] < LEAST_SHARE or after[own] - before[own] < LEAST_RISE or not _towards(look, begins, usual, since):
        return []
    return [_loss(record, Since.of(rise, worked), line, own, before, after)]


def _towards(look: Look, begins: NDArray[np.int64], usual: NDArray[np.int64], since: NDArray[np.int64]) -> bool:
    """Whether the waits of the line grew towards the machine: those before it are blocked more, those after it starved.

    Source: Li, Chang and Ni, Data driven bottleneck detection of manufacturing systems, International Journal of
    Production Research 47 (2009): waits turn from blocked to starved at the bottleneck.
    """
    grown = 0.0
    for names, toward, away in ((look.upstream, "blocked", "starved"), (look.downstream, "starved", "blocked")):
        for name in names:
            for word, sign in ((toward, 1.0), (away, -1.0)):
                rates = _rates(look.record_of(name), word, begins, (usual, since))
                grown += sign * (rates[1] - rates[0])
    return grown > 0


def _rates(record: Record, word: str, begins: NDArray[np.int64], spans: Iterable[NDArray[np.int64]]) -> list[float]:
    """Return the hours of a wait for each shift that some shifts of another machine span."""
    own = np.searchsorted(begins, record.shifts["begin"].to_numpy(np.int64), side="right") - 1
    waited = _waited(record, (word,))
    return [float(waited[np.isin(own, places)].mean()) if np.isin(own, places).any() else 0.0 for places in spans]


def _waited(record: Record, words: tuple[str, ...]) -> Floats:
    parts = record.parts[record.parts["did"].isin(words)]
    return record.summed(parts.assign(hours=(parts["stop"] - parts["begin"]) / HOUR), "hours")


def _loss(record: Record, since: Since, line: list[str], own: int, before: Floats, after: Floats) -> FoundLoss:
    begin, earliest, latest, seen = since.moments(record)
    former = int(before.argmax())
    instead = f"; before it was {line[former]} ({before[former]:.0%})" if former != own else ""
    return FoundLoss(
        finder=NAME,
        kind="time loss",
        cause=NAME,
        machine=record.machine,
        since=begin,
        earliest=earliest,
        latest=latest,
        seen=seen,
        pattern={"line": record.plant.machine_named(record.machine).line or ""},
        sentence=(
            f"{record.machine}: holds its line up for {after[own]:.0%} of the time in place of its usual"
            f" {before[own]:.0%}, {since_words(record, since.first, since.low, since.high)}: it is the bottleneck"
            f" now{instead}"
        ),
        evidence=tuple(
            Evidence(
                signal=f"{line[place]} holds the line up",
                unit="%",
                feature="share of time",
                actual=100 * float(after[place]),
                expected=100 * float(before[place]),
                share=float(after[place]),
            )
            for place in np.argsort(-after)
        ),
    )

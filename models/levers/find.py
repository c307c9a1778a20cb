"""Find levers: look for them in earlier time, and tell those alone that hold on later time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from features.column import signal_of
from features.describe import describe, unit_of
from features.recipe import Recipe
from models.judging.cut import TRAINING_SHARE
from models.levers.held import Held, held
from models.levers.lever import Lever
from models.levers.lots import Lots
from models.levers.screen import screened
from models.moment import as_datetime, span

ENOUGH_REJECTS = 20
"""In each of both parts of time."""
ENOUGH_LOTS = 60


@dataclass(frozen=True, slots=True)
class Levers:
    """What was found in some lots, and what was looked at to find it.

    Attributes
    ----------
    name : what the pieces are of: a model, or a class of machines that count them
    levers : those with the most rejects first
    pieces, rejects : in all
    signals, features : that were looked at
    tried : regions that were held against later time
    begin, until, judged_from, end : found in [begin, until], shown in [judged_from, end]; ``None`` without lots
    reason : why there is no lever; empty where there is one
    watermark : why nothing here is to be relied on; empty unless pieces were split at random
    """

    name: str
    levers: tuple[Lever, ...] = ()
    pieces: float = 0.0
    rejects: float = 0.0
    signals: int = 0
    features: int = 0
    tried: int = 0
    begin: datetime | None = None
    until: datetime | None = None
    judged_from: datetime | None = None
    end: datetime | None = None
    reason: str = ""
    watermark: str = ""

    def looked(self) -> str:
        """Say what was looked at."""
        return f"{self.features:,} features of {self.signals:,} signals looked at, {self.tried} held against later time"

    def to_dict(self, currency: str = "") -> dict[str, Any]:
        """Return it as JSON types; times as datetimes."""
        own = {name: getattr(self, name) for name in self.__slots__}
        return {**own, "levers": [each.to_dict(currency) for each in self.levers]}


def find_levers(name: str, lots: Lots, recipe: Recipe, units: Mapping[str, str], *, watermark: str = "") -> Levers:
    """Return the levers of some lots.

    Earlier lots (60 %) name the best region of each signal. Later ones, whose own windows do not reach into the
    earlier time, decide: a region is told where chance alone shows as much in less than 5 % of cases, all regions
    together (Holm), and where the interval of its ratio, all intervals together, lies above 1. Regions are taken one
    after the other, and each is held against what is left within those before it.

    Parameters
    ----------
    recipe : of the columns of the lots
    units : unit of each signal
    watermark : why nothing that is found is to be relied on
    """
    found = Levers(
        name,
        pieces=float(lots.pieces.sum()),
        rejects=float(lots.rejects.sum()),
        signals=len({signal_of(each) for each in lots.names} - {""}),
        features=len(lots.names),
        watermark=watermark,
    )
    if not len(lots):
        return replace(found, reason="no piece was counted or inspected while signals were read")
    cut = np.sort(lots.time)[min(int(TRAINING_SHARE * len(lots)), len(lots) - 1)]
    earlier, later = lots.where(lots.time <= cut), lots.where(lots.time > cut + span(recipe.windows[0]))
    reason = _too_few(earlier, later)
    if reason:
        return replace(found, reason=reason)
    candidates = screened(earlier)
    found = replace(
        found,
        tried=len(candidates),
        begin=as_datetime(earlier.time.min()),
        until=as_datetime(cut),
        judged_from=as_datetime(later.time.min()),
        end=as_datetime(later.time.max()),
    )
    hours = (later.time.max() - later.time.min()) / span(timedelta(hours=1))
    levers = [_lever(each, later, recipe, units, hours) for each in held(later, candidates)]
    if levers:
        return replace(found, levers=tuple(sorted(levers, key=lambda each: -each.share)))
    why = f"none of {len(candidates)} regions that stood out in earlier time held on later time"
    return replace(found, reason=why if candidates else "no signal stood out, not even in the time that was searched")


def _too_few(earlier: Lots, later: Lots) -> str:
    for part, when in ((earlier, "earlier"), (later, "later")):
        if part.rejects.sum() < ENOUGH_REJECTS or len(part) < ENOUGH_LOTS:
            return (
                f"{part.rejects.sum():,.0f} rejects in {len(part):,} lots of the {when} time are too few;"
                f" {ENOUGH_REJECTS} in {ENOUGH_LOTS} are needed"
            )
    return ""


def _lever(held: Held, later: Lots, recipe: Recipe, units: Mapping[str, str], hours: float) -> Lever:
    candidate, told = held.candidate, held.contrast
    column = recipe.columns[candidate.column]
    lost = later.where(held.inside)
    known = np.isfinite(lost.price)
    bad = float(lost.rejects[known].sum())
    each = float((lost.price * lost.rejects)[known].sum()) / bad if bad else None
    return Lever(
        signal=column.signal,
        feature=column.name,
        words=describe(column),
        unit=unit_of(column, units.get(column.signal, "")),
        region=candidate.region,
        low_between=candidate.low_between,
        high_between=candidate.high_between,
        contrast=told,
        chance=held.chance,
        share=told.avoidable / float(later.rejects.sum()),
        money_per_hour=None if each is None or not hours else told.avoidable * each / hours,
        with_it=tuple(recipe.columns[each.column].signal for each in held.with_it),
    )

"""Minor stops that come more often than this machine is used to, and what they concentrate on."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.microsecond import HOUR
from models.efficiency.finders.concentration import Concentration, concentrated_on
from models.efficiency.finders.excess import Excess, excess_of
from models.efficiency.finders.follows import Followed, followed
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look, Record
from models.efficiency.finders.rise import CountScores, Rise, lasting_rise
from models.efficiency.finders.told import Since, Told, lost_time
from models.efficiency.finders.words import about
from models.finding import Evidence

NAME = "minor stops"
LEAST_SHARE = 0.005
"""Excess below this share of running time is nobody's time worth."""
_LEAST_HOURS = 0.5
_HOURS_OF_A_BAND = 4

Places = NDArray[np.int64]


def minor_stops(look: Look) -> list[FoundLoss]:
    """Return the excess of minor stops that lasts on a machine; at most one.

    Watched are all stops of the machine and those with each product. Their number tells that there is an excess, since
    it varies least; their time tells what it costs.
    """
    record = look.record
    stops = stops_of(record)
    if not len(stops):
        return []
    products = sorted(set(record.made["product"]) - {""})
    series: list[tuple[str, Rise, Places]] = []
    watched = ["", *products] if len(products) > 1 else [""]
    for product in watched:
        own = stops if not product else stops[stops["product"] == product]
        hours = record.with_product(product, "running")
        worked = np.flatnonzero(hours >= _LEAST_HOURS)
        counts = np.bincount(own["at"], minlength=len(hours)).astype(float)
        rise = lasting_rise(CountScores(counts[worked], hours[worked]), series=len(watched))
        if rise is not None:
            series.append((product, rise, worked))
    found = [each for each in (_loss(look, stops, *each) for each in series) if each is not None]
    return sorted(found, key=lambda each: -(each.hours or 0.0))[:1]


def stops_of(record: Record) -> pd.DataFrame:
    """Return the minor stops of a record: ``at``, ``product``, ``word``, ``begin`` and ``hours`` of each.

    A stop that is told by several words in a row is one, under the word that it began with.
    """
    parts = record.parts[record.parts["did"] == "minor_stop"]
    number = parts["opens"].cumsum()
    grouped = parts.assign(hours=(parts["stop"] - parts["begin"]) / HOUR).groupby(number, sort=True)
    return grouped.agg(
        at=("at", "first"), product=("product", "first"), word=("word", "first"), begin=("begin", "first"),
        hours=("hours", "sum"),
    ).reset_index(drop=True)  # fmt: skip


def _loss(look: Look, stops: pd.DataFrame, product: str, rise: Rise, worked: Places) -> FoundLoss | None:
    record = look.record
    hours = record.with_product(product, "running")
    own = stops if not product else stops[stops["product"] == product]
    lost = record.summed(own, "hours")
    counts = np.bincount(own["at"], minlength=len(hours)).astype(float)
    usual, since = worked[rise.usual], worked[rise.first :]
    excess = excess_of(lost, hours, usual, since)
    number = excess_of(counts, hours, usual, since)
    if excess.low <= 0 or excess.amount < LEAST_SHARE * float(hours[since].sum()):
        return None
    patterns = _patterns(record, stops, usual, since)
    most = product or next((each.level for each in patterns if each.dimension == "product"), "")
    of = f" with {product}" if product else ""
    begins = own["begin"][own["at"] >= since[0]].to_numpy(np.int64)
    before = followed(begins, look.record_of, look.upstream, int(begins[0]))
    told = Told(
        finder=NAME,
        what=f"{number.actual:.3g} minor stops an hour of running{of} in place of its usual {number.usual:.2g}",
        evidence=_evidence(number, excess, patterns, before),
        pattern=_pattern(patterns, product) | ({"machine": before.machine} if before else {}),
        value=record.worth(excess.amount, most or _mostly_made(record, since)),
        more=about(patterns, product)
        + (f"; {before.share:.0%} of these stops follow a stand of {before.machine}" if before else ""),
    )
    ideal = record.ideal(most)
    return lost_time(record, Since.of(rise, worked), told, excess, excess.amount / ideal if ideal else None)


def _pattern(patterns: list[Concentration], product: str) -> dict[str, str]:
    found = {each.dimension: each.level for each in patterns}
    return found | ({"product": product} if product and "product" not in found else {})


def _mostly_made(record: Record, since: Places) -> str:
    made = record.made[record.made["at"].isin(since)]
    hours = made.groupby("product")["running"].sum()
    return str(hours.idxmax()) if len(hours) else ""


def _patterns(record: Record, stops: pd.DataFrame, usual: Places, since: Places) -> list[Concentration]:
    """Return on what the excess concentrates, by product, reason, and time of day."""
    running = _by_hour(record.parts[record.parts["did"] == "running"])
    levels = {
        "product": (stops["product"], running["product"]),
        "reason": (stops["word"], None),
        "time of day": (_bands(record, stops["begin"]), _bands(record, running["begin"])),
    }
    found = []
    for dimension, (level, exposed) in levels.items():
        names = sorted(set(level))
        table = pd.DataFrame({"level": names})
        for period, places in (("before", usual), ("after", since)):
            counts = level[stops["at"].isin(places)].value_counts()
            table[f"count_{period}"] = [int(counts.get(name, 0)) for name in names]
            own = running[running["at"].isin(places)]
            whole = dict.fromkeys(names, own["hours"].sum())
            spent = whole if exposed is None else own["hours"].groupby(exposed[own.index]).sum()
            table[f"exposure_{period}"] = [float(spent.get(name, 0.0)) for name in names]
        one = concentrated_on(dimension, table)
        if one is not None:
            found.append(one)
    return found


def _by_hour(parts: pd.DataFrame) -> pd.DataFrame:
    """Return parts cut at each whole hour, so that a long run lies in every part of the day that it lasted through."""
    begin, stop = (parts[name].to_numpy(np.int64) for name in ("begin", "stop"))
    cuts = np.maximum(-(-stop // HOUR) - begin // HOUR, 1)
    row = np.repeat(np.arange(len(parts)), cuts)
    hour = (begin // HOUR)[row] + np.arange(len(row)) - np.repeat(np.cumsum(cuts) - cuts, cuts)
    found = parts.iloc[row].reset_index(drop=True)
    found["begin"] = np.maximum(begin[row], hour * HOUR)
    found["hours"] = (np.minimum(stop[row], (hour + 1) * HOUR) - found["begin"]) / HOUR
    return found


def _bands(record: Record, begins: "pd.Series[int]") -> "pd.Series[str]":
    """Return the part of the local day in which each moment lies."""
    local = pd.to_datetime(begins, unit="us", utc=True).dt.tz_convert(record.plant.zone)
    first = local.dt.hour // _HOURS_OF_A_BAND * _HOURS_OF_A_BAND
    return first.map(lambda hour: f"{hour:02d}:00-{hour + _HOURS_OF_A_BAND:02d}:00").astype(object)


def _evidence(
    number: Excess, excess: Excess, patterns: list[Concentration], before: Followed | None
) -> tuple[Evidence, ...]:
    return (
        Evidence(signal="minor stops", unit="1/h", feature="per hour of running", actual=number.actual,
                 expected=number.usual, share=1.0),
        Evidence(signal="time in minor stops", unit="%", feature="share of running time", actual=100 * excess.actual,
                 expected=100 * excess.usual, share=1.0),
        *(
            Evidence(signal=f"{each.dimension} {each.level}", unit="1/h", feature="minor stops per hour",
                     actual=each.after, expected=each.before, share=each.share)
            for each in patterns
        ),
        *(
            Evidence(signal=f"{each.machine} stands", unit="%", feature="share of stops that follow",
                     actual=100 * each.share, expected=100 * each.by_chance, share=each.share)
            for each in (before,) if each is not None
        ),
    )  # fmt: skip

"""How long each machine went on living after each row, as far as that is known."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.plant import Target
from models.labels.label import target_events
from models.moment import instant, instants
from models.rows import by_machine, machine_rows

HOUR = np.timedelta64(1, "h")
_EVER, _NEVER = np.datetime64("0001-01-01", "us"), np.datetime64("9999-01-01", "us")


@dataclass(frozen=True)
class Lives:
    """What is known of the remaining life of rows.

    Attributes
    ----------
    hours : from each row to the end of its life; where ``ended`` is false, the life was longer than this.
        NaN inside an event, and after what is known. Shape (n_rows,)
    ended : whether the life ended by the event that it is counted to, shape (n_rows,)
    life : number of the life that each row belongs to; rows of one life are no independent witnesses
    """

    hours: NDArray[np.float64]
    ended: NDArray[np.bool_]
    life: NDArray[np.intp]

    def where(self, rows: NDArray[np.intp]) -> "Lives":
        """Return the lives of some rows."""
        return Lives(self.hours[rows], self.ended[rows], self.life[rows])

    def known_up_to(self, cap: float) -> NDArray[np.bool_]:
        """Say of which rows min(life, cap) is known: those that ended, and those that outlived the cap."""
        return self.ended | (self.hours >= cap)


def lives_of(table: FeatureTable, targets: pd.DataFrame, renewals: pd.DataFrame, known_until: datetime) -> Lives:
    """Return the remaining life of each row, counted to the next event on its machine.

    A life that no event ended was at least as long as until the machine was renewed otherwise, until its
    last row, or until nothing more is known, whatever came first.

    Parameters
    ----------
    targets : table of ``target_events``: what ends a life
    renewals : table of ``renewals_of``: what breaks it off before its end
    known_until : up to when (inclusive) all events are known
    """
    known = instant(known_until)
    hours, ended = np.full(len(table), np.nan), np.zeros(len(table), np.bool_)
    life = np.zeros(len(table), np.intp)
    events, breaks = by_machine(targets[instants(targets["begin"]) <= known]), by_machine(renewals)
    count = 0
    for machine, mine in machine_rows(table.machine).items():
        time = table.time[mine]
        begin, over = _spans(events.get(machine))
        broken, _ = _spans(breaks.get(machine))
        broken = np.sort(broken[broken <= known])
        following = np.searchsorted(begin, time, side="right")
        place = np.searchsorted(broken, time, side="right")
        ends, stops = (np.append(each, _NEVER)[which] for each, which in ((begin, following), (broken, place)))
        own = (ends < _NEVER) & (ends <= stops)
        seen = np.minimum(stops, max(min(time[-1], known), time[0]))
        hours[mine] = (np.where(own, ends, seen) - time) / HOUR
        ended[mine] = own
        since, over = (np.append(_EVER, each)[following] for each in (begin, over))
        inside = (over > since) & (time <= over)
        hours[mine][inside | (time > known)] = np.nan
        life[mine] = count + following + place
        count = int(life[mine].max()) + 1
    ended &= np.isfinite(hours)
    return Lives(hours, ended, np.unique(life, return_inverse=True)[1].astype(np.intp))


def renewals_of(events: pd.DataFrame, target: Target, targets: pd.DataFrame) -> pd.DataFrame:
    """Return what makes a machine new, beside the events that its life is counted to.

    That is any other failure, and maintenance that names the component in question or none at all: such a
    record stands for the whole machine.

    Parameters
    ----------
    events : table with ``EVENT_COLUMNS``
    targets : table of ``target_events`` for the same target
    """
    about = events["component"].isin(["", target.component])
    maintained = events[(events["kind"] == "maintenance") & about]
    rows = pd.concat([target_events(events, Target()), target_events(maintained, Target(kind="maintenance"))])
    known = set(zip(targets["machine"], targets["begin"], strict=True))
    fresh = [pair not in known for pair in zip(rows["machine"], rows["begin"], strict=True)]
    return rows[np.array(fresh, np.bool_)].sort_values(["machine", "begin"], kind="stable", ignore_index=True)


def _spans(events: pd.DataFrame | None) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
    if events is None:
        nothing = np.empty(0, "datetime64[us]")
        return nothing, nothing
    return instants(events["begin"]), instants(events["end"])

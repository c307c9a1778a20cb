"""What a bundle says of machines: a level at each window end, or the reason why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.column import signal_of
from features.table import FeatureTable
from models.assessment import Assessments, Reason
from models.bundle import Bundle
from models.explain import Explanation, explain
from models.life.life import LEVELS, tells_life
from models.moment import instants, span
from models.rows import by_machine, machine_rows
from models.sensors.health import Health

__all__ = [
    "Explanation",
    "assess_table",
    "doubt_one_signal",
    "explain",
    "none_while",
    "none_while_down",
    "none_while_unbelieved",
    "probabilities_within",
    "unbelieved",
]

_ROWS_TOGETHER = 8
"""Products of matrices round otherwise for a single row than for several, and may for what is left over of a
processor's registers: with rows in eights, each level is the same to the bit whoever else is asked about."""

LEAST_FILLED = 0.5
"""Share of the time in which the machine ran in the shortest window that readings must cover."""

LEAST_RAN = 0.25
"""Share of the shortest window in which the machine must have run, and settled: two shifts of three are watched."""


def assess_table(bundle: Bundle, table: FeatureTable) -> Assessments:
    """Assess the rows of a feature table that the bundle's recipe made."""
    reason = reasons(table, bundle.recipe.windows[0])
    if bundle.context is not None:
        unseen = (reason == Reason.OK.value) & bundle.context.unseen(table)
        reason[unseen] = Reason.OUT_OF_DOMAIN.value
    ok = reason == Reason.OK.value
    level = np.full(len(table), np.nan)
    if ok.any():
        rows = np.flatnonzero(ok)
        padded = np.append(rows, np.repeat(rows[-1:], -len(rows) % _ROWS_TOGETHER))
        level[ok] = bundle.learner.level(bundle.seen(table.where(padded)))[: len(rows)]
    reason[ok & np.isnan(level)] = Reason.TOO_LITTLE.value
    life, reach = _life(bundle, table, ok, reason)
    return Assessments(
        model=bundle.entry.name,
        version=bundle.version,
        machine=table.machine,
        time=table.time,
        level=level,
        reason=reason,
        threshold=bundle.threshold,
        signals=table.signals,
        filled=table.filled_by_signal,
        life=life,
        reach=reach,
    )


def _life(
    bundle: Bundle, table: FeatureTable, ok: NDArray[np.bool_], reason: NDArray[np.object_]
) -> tuple[NDArray[np.float64] | None, float]:
    """Return the remaining lives and how far they are told; say in ``reason`` where nothing degrades."""
    if not tells_life(bundle.learner):
        return None, np.nan
    life = np.full((len(table), len(LEVELS)), np.nan)
    if ok.any():
        life[ok] = bundle.learner.life(bundle.seen(table.where(ok)))
    reason[ok & np.isnan(life[:, 0])] = Reason.NOT_DEGRADING.value
    return life, bundle.learner.reach


def probabilities_within(
    bundle: Bundle, table: FeatureTable, level: NDArray[np.float64]
) -> dict[timedelta, NDArray[np.float64]]:
    """Return the probability of an event within each horizon of a failure risk, shortest first.

    Parameters
    ----------
    table : made by the bundle's recipe
    level : what it said of each row; where that is NaN, so is everything
    """
    if bundle.horizons is None:
        return {bundle.entry.horizon: level}
    within = np.full((len(table), len(bundle.horizons.hours)), np.nan)
    valued = np.flatnonzero(~np.isnan(level))
    if len(valued):
        within[valued] = bundle.horizons.probabilities(bundle.seen(table.where(valued)), level[valued])
    return dict(zip(bundle.horizons.spans, within.T, strict=True))


def reasons(table: FeatureTable, shortest: timedelta) -> NDArray[np.object_]:
    """Return why a row can be assessed (ok) or not; see ``Reason``.

    A window is thin when the machine ran in less than a quarter of it, or readings cover less than half of the time
    in which it did, or too few for any feature of a signal. After a failure a window holds nothing from before it,
    so a thin window that soon after one is settling. If the machine was off for most of it, it is off. Any other
    thin window is short of data.
    """
    reason = np.full(len(table), Reason.OK.value, dtype=object)
    of_signals = [index for index, name in enumerate(table.names) if signal_of(name)]
    off = np.zeros(len(table)) if table.off is None else table.off
    thin = (1 - off < LEAST_RAN) | ~(table.filled >= LEAST_FILLED * (1 - off))
    thin |= ~np.isfinite(table.values[:, of_signals]).any(axis=1)
    reason[thin] = Reason.TOO_LITTLE.value
    reason[~(table.filled > 0)] = Reason.NO_DATA.value
    reason[thin & (off > 0.5)] = Reason.OFF.value
    if "hours_since_failure" in table.names:
        hours = table.values[:, table.names.index("hours_since_failure")]
        reason[thin & (hours <= shortest / timedelta(hours=1))] = Reason.SETTLING.value
    return reason


def none_while_down(assessments: Assessments, failures: pd.DataFrame) -> Assessments:
    """Say nothing of a machine in (begin, end] of a failure: what has broken down needs no foretelling.

    Parameters
    ----------
    failures : table of ``target_events``, all failures of the machines
    """
    return none_while(assessments, failures, Reason.DOWN)


def none_while(assessments: Assessments, spans: pd.DataFrame, reason: Reason) -> Assessments:
    """Say nothing of a machine in (begin, end] of some spans, for this reason.

    Parameters
    ----------
    spans : table with ``machine``, ``begin`` and ``end``, sorted by begin; those of one machine are apart
    """
    level, why = assessments.level.copy(), assessments.reason.copy()
    rows = machine_rows(assessments.machine)
    for machine, own in by_machine(spans).items():
        if machine in rows:
            mine = rows[machine]
            time, begin, over = assessments.time[mine], instants(own["begin"]), instants(own["end"])
            last = np.searchsorted(begin, time, side="left") - 1
            within = (last >= 0) & (time <= over[last])
            level[mine][within], why[mine][within] = np.nan, reason.value
    return _unsaid(replace(assessments, level=level, reason=why))


def _unsaid(assessments: Assessments) -> Assessments:
    """Tell no remaining life where there is no level."""
    if assessments.life is None:
        return assessments
    return replace(assessments, life=np.where(np.isnan(assessments.level)[:, np.newaxis], np.nan, assessments.life))


def none_while_unbelieved(
    assessments: Assessments, health: Mapping[str, Health], signals: Sequence[str], shortest: timedelta
) -> Assessments:
    """Say nothing of a machine where one of the signals could not be believed at some hour of (time − shortest, time].

    Parameters
    ----------
    health : of each machine, at all these hours
    """
    level, reason = assessments.level.copy(), assessments.reason.copy()
    for machine, mine in machine_rows(assessments.machine).items():
        bad = unbelieved(assessments.time[mine], health[machine], signals, shortest)
        bad &= ~np.isnan(level[mine])
        level[mine][bad], reason[mine][bad] = np.nan, Reason.SENSOR_FAULT.value
    return _unsaid(replace(assessments, level=level, reason=reason))


def doubt_one_signal(
    assessments: Assessments, bundle: Bundle, table: FeatureTable, health: Mapping[str, Health]
) -> Assessments:
    """Name the signal that alone departs where a level is over the threshold; doubt it where no failure began so.

    It is doubted where it rests on one signal alone, and either no recorded failure looked so or the sensor is apart
    from the others; not where a failure risk is as sure as it had to be before it was asked. A signal is named where
    the level is doubted and worth a look, and where it is not doubted: sensor or machine, see ``models.subject``. Where
    the sensor that says when the machine runs is not believed, it is named whatever the others show: they may show a
    stop that it hides.

    Parameters
    ----------
    table : what was assessed, row by row
    health : of each machine, at the hours of all rows
    """
    if bundle.lone is None or bundle.episodes is None:
        return assessments
    over = np.flatnonzero(assessments.level >= assessments.threshold)
    level = assessments.level[over]
    seen = bundle.seen(table.where(over))
    others, names = bundle.lone.corroboration.without_each(seen), bundle.lone.corroboration.signals
    signals, possible = bundle.lone.corroboration.named(others), others <= 1
    either = bundle.lone.corroboration.standing_out(others)
    doubted = ~bundle.lone.recorded(seen, bundle.episodes, bundle.normal)
    of_stops = () if bundle.recipe.running is None else bundle.recipe.running.signals
    for place, row in enumerate(over.tolist()):
        own, time = health[str(table.machine[row])], table.time[row]
        since = time - span(bundle.recipe.lookback)
        doubted[place] |= any(own.is_doubted(names[at], since, time) for at in np.flatnonzero(possible[place]))
        either[place] = next((name for name in of_stops if own.is_doubted(name, since, time)), either[place])
    doubted &= level < bundle.lone.sure
    reason, alone = assessments.reason.copy(), np.full(len(assessments), "", dtype=object)
    reason[over[doubted & (signals != "")]] = Reason.ONE_SIGNAL.value
    alone[over] = np.where(doubted & (signals != ""), np.where(level < bundle.lone.threshold, "", signals), either)
    return replace(assessments, reason=reason, alone=alone)


def unbelieved(
    time: NDArray[np.datetime64], health: Health, signals: Sequence[str], shortest: timedelta
) -> NDArray[np.bool_]:
    """Say of each time whether one of the signals could not be believed at some hour of (time − shortest, time].

    Parameters
    ----------
    time : shape (n,)
    health : at all these hours
    """
    counted = np.concatenate(([0], np.cumsum(health.bad(signals))))
    first, last = (np.searchsorted(health.hours, each, side="right") for each in (time - span(shortest), time))
    return np.asarray(counted[last] > counted[first])

"""Failures whose times are suspicious: within each other, twice in one shift, or by the clock of a form."""

from datetime import timedelta

import numpy as np
import pandas as pd

from models.labels.problem import CHANCE, Failures, LabelKind, LabelProblem

ONE_SHIFT = timedelta(hours=8)
"""A second record of the same failure within it is more likely another person's than another failure."""

MATTERS_BELOW = timedelta(minutes=30)
"""Where readings come more seldom, a failure that is rounded to the hour loses nothing."""

_QUARTERS = 96
_BUSIEST, _ROUND = 0.3, 0.6
_SHARE_OF_A_QUARTER = 1 / 16
"""What the busiest quarter of an hour may hold by itself: a plant that runs one shift has but 32 of them."""
_SHARE_OF_FULL_HOURS = 1 / 8
"""What full hours may hold by themselves: 1 in 60, or a little more where people round a few."""


def overlaps(failures: Failures) -> list[LabelProblem]:
    """Find failures that begin while an earlier one of the machine still lasts."""
    table = failures.table
    latest = table.groupby("machine", sort=False)["end"].cummax().groupby(table["machine"], sort=False).shift()
    first = table.groupby("machine", sort=False)["time"].shift()
    rows = np.flatnonzero((table["time"] < latest) & (table["time"] > first))
    return failures.problem(
        LabelKind.OVERLAP,
        rows.tolist(),
        "begin while an earlier one of the same machine lasts",
        "both are taken as one that lasts until the later end; correct the end of the first, or remove the second",
    )


def repeated(failures: Failures) -> list[LabelProblem]:
    """Find failures that follow one of the same machine, component and code within a shift."""
    table = failures.table
    before = table.groupby(["machine", "component", "code"], sort=False)["time"].shift()
    rows = np.flatnonzero(table["time"] - before <= pd.Timedelta(ONE_SHIFT))
    if len(rows) > len(table) / 2:
        # Machines that fail several times a shift do so; these are no repetitions.
        return []
    return failures.problem(
        LabelKind.REPEATED,
        rows.tolist(),
        "follow one of the same machine, component and code within 8 h",
        "each counts as a failure of its own; remove those that were entered twice",
    )


def entered_late(failures: Failures) -> list[LabelProblem]:
    """Find failures whose times are those at which people fill in forms: midnight, the end of a shift, full hours."""
    local = failures.local
    minute = (local.dt.hour * 60 + local.dt.minute).to_numpy()
    quarter = minute // (1440 // _QUARTERS)
    counts = np.bincount(quarter, minlength=_QUARTERS)
    busiest = int(counts.argmax())
    advice = (
        "the hours before are learnt as those before a failure although it may have come earlier; "
        "enter when the machine stopped"
    )
    if _beyond_chance(int(counts[busiest]), len(failures), _SHARE_OF_A_QUARTER, _BUSIEST, bins=_QUARTERS):
        rows = np.flatnonzero(quarter == busiest)
        begin, end = (f"{15 * each // 60:02d}:{15 * each % 60:02d}" for each in (busiest, busiest + 1))
        exact = bool((minute[rows] == 15 * busiest).all())
        when = f"at {begin}" if exact else f"between {begin} and {end}"
        why = ", as when only a date is entered" if exact and busiest == 0 else ", as when they are entered later"
        return failures.problem(LabelKind.ENTERED_LATE, rows.tolist(), f"stand {when}{why}", advice)
    if failures.every >= MATTERS_BELOW:
        return []
    full = np.flatnonzero((local.dt.minute == 0) & (local.dt.second == 0))
    if _beyond_chance(len(full), len(failures), _SHARE_OF_FULL_HOURS, _ROUND, bins=1):
        return failures.problem(LabelKind.ENTERED_LATE, full.tolist(), "stand at a full hour, as when rounded", advice)
    return []


def _beyond_chance(count: int, of: int, share: float, least: float, *, bins: int) -> bool:
    """Whether so many of all are at least this share and more than chance would put into the fullest of some bins."""
    from scipy.stats import binom

    return count >= least * of and bins * float(binom.sf(count - 1, of, share)) < CHANCE

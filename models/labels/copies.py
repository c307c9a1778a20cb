"""Failures that were copied: the same times on several machines, the same gaps, the same long note."""

import math
from collections import Counter, defaultdict

import numpy as np
from numpy.typing import NDArray

from models.labels.problem import CHANCE, Failures, LabelKind, LabelProblem

LEAST_GAPS = 2
"""Gaps in a row, between three failures, that two machines must share at least."""
LEAST_NOTES = 3
_GRAINS = tuple(seconds * 1_000_000 for seconds in (86_400, 3600, 900, 60, 1))
LONG_NOTE = 40
"""Characters of a note that nobody writes the same way again by chance."""


def copied(failures: Failures) -> list[LabelProblem]:
    """Find series of failures that stand on two machines alike, and long notes that stand on several."""
    found = failures.problem(
        LabelKind.COPIED,
        _same_series(failures),
        "stand on two machines with the same times or the same gaps",
        "a copy teaches that a healthy machine was about to fail; remove those that did not happen",
    )
    return found + failures.problem(
        LabelKind.COPIED,
        _same_notes(failures),
        f"have a note of {LONG_NOTE} characters or more that stands on another machine, too, word for word",
        "see whether they happened, or were copied from one machine to the next",
    )


def _same_series(failures: Failures) -> list[int]:
    """Return the rows of all series that two machines share, in their order."""
    rows_of = failures.rows_of
    # By the clock of the plant, so that dates without a time are whole days apart.
    time = failures.local.dt.tz_localize(None).astype("datetime64[us]").astype("int64").to_numpy()
    gaps_of = {machine: np.diff(time[rows]) for machine, rows in rows_of.items()}
    length = _telling_length(np.concatenate([*gaps_of.values()]))
    places: dict[bytes, list[NDArray[np.int64]]] = defaultdict(list)
    for machine, gaps in gaps_of.items():
        for first in range(len(gaps) - length + 1):
            run = gaps[first : first + length]
            if (run != run[0]).any():
                places[run.tobytes()].append(rows_of[machine][first : first + length + 1])
    machines = failures.table["machine"].to_numpy()
    shared = [rows for alike in places.values() if len({machines[rows[0]] for rows in alike}) > 1 for rows in alike]
    return np.unique(np.concatenate(shared)).tolist() if shared else []


def _telling_length(gaps: NDArray[np.int64]) -> int:
    """Return how many gaps in a row must agree, so that chance makes no two machines agree in as many.

    The fewer different gaps there are, the more easily they agree: times may be rounded, or all be those
    of one weekday. Half of all may be copies; where more stand twice or oftener, that is their nature.
    """
    if len(gaps) < LEAST_GAPS:
        return LEAST_GAPS
    grain = next((each for each in _GRAINS if (gaps % each == 0).mean() >= 0.5), 1)
    different = float(gaps.std()) / grain
    counts = np.unique(gaps, return_counts=True)[1]
    if len(counts) < len(gaps) / 2:
        different = min(different, len(gaps) * (len(gaps) - 1) / float((counts * (counts - 1)).sum()))
    return max(LEAST_GAPS, math.ceil(math.log(len(gaps) ** 2 / CHANCE) / math.log(max(different, 1.1))))


def _same_notes(failures: Failures) -> list[int]:
    notes = failures.table["note"].str.strip().str.casefold()
    machines: dict[str, Counter[str]] = defaultdict(Counter)
    for note, machine in zip(notes, failures.table["machine"], strict=True):
        if len(note) >= LONG_NOTE:
            machines[note][machine] += 1
    suspicious = {note for note, on in machines.items() if len(on) > 1 and sum(on.values()) >= LEAST_NOTES}
    return np.flatnonzero(notes.isin(suspicious)).tolist()

"""Alerts as people meet them: what comes and goes between two looks at the machines is never shown to anybody."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.assessment import Assessments
from models.persistence import Episode
from models.rows import machine_rows


def shown_at(episodes: Sequence[Episode], rounds: NDArray[np.datetime64], assessments: Assessments) -> list[Episode]:
    """Return the episodes that some round meets while they last, each from the first such round on.

    A round folds all windows that ended since the one before, and raises an alert for a condition that
    is active after the last of them: ``service.monitor`` does just that.

    Parameters
    ----------
    rounds : moments at which machines are looked at, ascending
    assessments : what the episodes were made of; a round sees the rows up to its moment
    """
    rows = machine_rows(assessments.machine)
    shown = []
    for episode in episodes:
        time = assessments.time[rows[episode.machine]]
        first = int(np.searchsorted(rounds, episode.begin, side="left"))
        if first == len(rounds):
            continue
        newest = time[np.searchsorted(time, rounds[first], side="right") - 1]
        if episode.end is None or episode.end > newest:
            shown.append(replace(episode, begin=rounds[first]))
    return shown

"""Probabilities for several horizons: a ladder of conditional ones, from the alert's horizon up and down."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from features.table import FeatureTable
from ingest.duration import format_duration
from ingest.errors import NotEnoughDataError
from models.judging.split import Fold
from models.learner import Learner, View

Labels = Callable[[timedelta], NDArray[np.int8]]
"""Says of each row of the training table whether an event begins within a horizon: 1, 0 or −1 (not known)."""
Folds = Callable[[timedelta], list[Fold]]
"""Returns folds that keep what is learnt and what is judged one such horizon apart."""

_HOUR = timedelta(hours=1)


@dataclass
class Horizons:
    """The probability of an event within each of several horizons; it never falls as they get longer.

    The level of the model is the probability within the horizon that alerts are raised by, and stays what it
    is. Each longer horizon adds the probability that the event comes between the horizon before and it, given
    that it did not come before; each shorter one takes the part of the next longer one that comes as soon.

    So a row whose outcome is known for a day and not for a month teaches the day and not the month, and a
    failure counts in every rung of the ladder that is known to end with it (discrete-time hazards). Every rung
    is calibrated on rows whose whole horizon was observed, by fits that have not seen them.

    Attributes
    ----------
    hours : lengths of the horizons in hours, ascending, the alert's among them
    alert : position of the alert's
    rungs : one for each other horizon, in their order

    References
    ----------
    Singer, Willett: It's about time: using discrete-time survival analysis, J. Educ. Stat. 18, 1993.
    """

    hours: tuple[float, ...]
    alert: int
    rungs: list[Learner]

    @property
    def spans(self) -> tuple[timedelta, ...]:
        """The horizons, ascending."""
        return tuple(timedelta(hours=each) for each in self.hours)

    @classmethod
    def learn(
        cls,
        table: FeatureTable,
        labels: Labels,
        folds: Folds,
        new_learner: Callable[[], Learner],
        *,
        asked: Sequence[timedelta],
        alert: timedelta,
        view: View | None = None,
    ) -> tuple[Self, dict[str, str]]:
        """Learn a rung for each horizon that is asked for beside the alert's.

        Parameters
        ----------
        new_learner : makes what a rung is learnt by, the same as the level
        asked : horizons in any order
        view : see ``Learner.fit``

        Returns
        -------
        horizons : those that could be learnt
        why_not : of the others, by length in words, why not: their history is too short for them
        """
        learnt: dict[timedelta, Learner] = {}
        why_not: dict[str, str] = {}
        others = sorted(set(asked) - {alert})
        for way in ([each for each in others if each > alert], [each for each in others[::-1] if each < alert]):
            nearer = alert
            for span in way:
                outcome = _rung_labels(labels(nearer), labels(span), longer=span > alert)
                try:
                    learnt[span] = _rung(new_learner(), table, outcome, folds(max(span, nearer)), view)
                except NotEnoughDataError:
                    why_not[format_duration(span)] = _too_short(outcome)
                    continue
                nearer = span
        spans = sorted([alert, *learnt])
        rungs = [learnt[each] for each in spans if each != alert]
        return cls(tuple(each / _HOUR for each in spans), spans.index(alert), rungs), why_not

    def probabilities(self, table: FeatureTable, level: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability within each horizon, shape (n_rows, n_horizons), ascending along each row.

        Parameters
        ----------
        table : rows as the model's learner sees them
        level : its level of each row; where that is NaN, so is everything
        """
        chances = [rung.level(table) for rung in self.rungs]
        within = np.empty((len(level), len(self.hours)))
        within[:, self.alert] = level
        for place in range(self.alert + 1, len(self.hours)):
            before = within[:, place - 1]
            within[:, place] = np.minimum(1.0, before + (1 - before) * chances[place - 1])
        for place in reversed(range(self.alert)):
            within[:, place] = within[:, place + 1] * chances[place]
        return within


def _rung_labels(nearer: NDArray[np.int8], farther: NDArray[np.int8], *, longer: bool) -> NDArray[np.int8]:
    """Return the outcome of one rung: of rows without an event before it, or of rows with one by its end."""
    return np.where(nearer == (0 if longer else 1), farther, -1).astype(np.int8)


def _rung(
    learner: Learner, table: FeatureTable, labels: NDArray[np.int8], folds: Sequence[Fold], view: View | None
) -> Learner:
    rung = learner.fit(table, labels, folds, view)
    rung.held_out = np.empty(0)  # as long as the history, and of no use to a ladder
    return rung


def _too_short(outcome: NDArray[np.int8]) -> str:
    if not (outcome == 1).any():
        return "no event is known to have come between it and the next shorter one"
    return "there is no time of which it is known that nothing came within it"


def horizons_card(horizons: Horizons, why_not: Mapping[str, str]) -> dict[str, Any]:
    """Return what the model card says of horizons, JSON values only."""
    return {"told": [format_duration(each) for each in horizons.spans], "not_learnt": dict(why_not)}


def horizons_in_words(card: Mapping[str, Any]) -> str:
    """Say which horizons a model tells a probability for, and which it cannot.

    Examples
    --------
    >>> horizons_in_words({"told": ["24 h", "7 d"], "not_learnt": {"30 d": "the history is shorter"}})
    'Tells the probability within 24 h, 7 d. Not within 30 d: the history is shorter.'
    """
    not_learnt = [f"Not within {span}: {why}." for span, why in card["not_learnt"].items()]
    return " ".join([f"Tells the probability within {', '.join(card['told'])}.", *not_learnt])

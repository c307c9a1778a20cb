"""Level of a piece: how probable it is that an inspection would record something that is not as it should be."""

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from features.column import SEPARATOR, signal_of
from features.table import FeatureTable
from models.anomaly.normal_by_regime import Alone, usual_alone
from models.columns import telling_columns
from models.conditions.classifier import PieceClassifier
from models.conditions.members import MEMBERS
from models.conditions.price import price_table
from models.judging.split import Fold
from models.learner import View, grouped
from models.why.asked_parts import asked_parts
from models.why.parts import Parts

Floats = NDArray[np.float64]

LOWEST, HIGHEST = 1e-6, 0.999999


class ConditionLevel:
    """Learns codes of inspections; its level is the probability of those that are not good.

    Parameters
    ----------
    codes : what inspections record, good ones first
    good : how many of them are good
    mistakes : what mistakes cost, as (recorded, said, costs)
    histograms : for each histogram the names of its signals
    units : unit of each signal
    """

    def __init__(
        self,
        codes: Sequence[str],
        good: int,
        *,
        mistakes: Sequence[tuple[str, str, float]] = (),
        histograms: Sequence[Sequence[str]] = (),
        units: dict[str, str] | None = None,
        seed: int = 0,
    ) -> None:
        self.codes = list(codes)
        self.good = good
        self.mistakes = [(was, said, float(costs)) for was, said, costs in mistakes]
        self.histograms = [list(each) for each in histograms]
        self.units = dict(units or {})
        self.seed = seed
        self.groups: tuple[str, ...] = ()
        self.held_out: Floats = np.empty(0)

    def fit(
        self, table: FeatureTable, labels: NDArray[np.int8], folds: Sequence[Fold], view: View | None = None
    ) -> Self:
        """Learn from rows labelled with the place of their code in ``codes``, −1 where nobody looked.

        Parameters
        ----------
        folds : of rows of the table
        view : not looked at: what a piece is does not depend on how others were made
        """
        del view
        rows = np.flatnonzero(labels >= 0)
        self.groups, self.group_of_column = grouped(table.names)
        self.normal: Alone = usual_alone(table.where(labels == 0))
        columns = telling_columns(table.values[rows])
        self.columns = columns if len(columns) else np.zeros(1, np.intp)
        names = [table.names[each] for each in self.columns]
        place = np.full(len(labels), -1)
        place[rows] = np.arange(len(rows))
        inner = [Fold(*(known[known >= 0] for known in (place[fold.train], place[fold.test]))) for fold in folds]
        self.classifier = PieceClassifier(
            histograms=bins_of(names, self.histograms),
            units=[_unit(name, self.units) for name in names],
            mistakes=self._mistakes(),
            seed=self.seed,
        ).fit(table.values[np.ix_(rows, self.columns)], labels[rows].astype(np.intp), inner or None)
        # Only for the fit: it has a row for each piece, and a model that is kept needs none of them.
        unseen = self.classifier.held_out_
        del self.classifier.held_out_
        self.held_out = np.full(len(table), np.nan)
        self.held_out[rows] = self._level(unseen, placed=False)
        return self

    def level(self, table: FeatureTable) -> Floats:
        """Return the probability that what would be recorded is not good, 1e-6 to 0.999999."""
        return self._level(self.probabilities(table))

    def probabilities(self, table: FeatureTable) -> Floats:
        """Return the probability of each code, shape (n_rows, n_codes)."""
        shares = np.zeros((len(table), len(self.codes)))
        if len(table):
            shares[:, self.classifier.classes_] = self.classifier.predict_proba(table.values[:, self.columns])
        return shares

    def said(self, probabilities: Floats) -> NDArray[np.intp]:
        """Return the place in ``codes`` of what is expected to cost least to say."""
        seen = self.classifier.classes_
        return seen[self.classifier.cheapest(probabilities[:, seen])]

    def worst(self, row: FeatureTable) -> str:
        """Return the most probable of the codes that are not good, of one row."""
        return self.codes[self.good + int(np.argmax(self.probabilities(row)[0, self.good :]))]

    @property
    def believed(self) -> dict[str, float]:
        """How far each member is believed, by its name."""
        weights = self.classifier.weights_.tolist()
        return {name: round(weight, 3) for name, weight in zip(MEMBERS, weights, strict=True)}

    def break_even(self) -> tuple[float, float, float]:
        """Return the level from which "not good" is said, and the prices of a needless and of a missed look.

        Of two codes only.
        """
        prices = price_table(self.codes, self.mistakes)
        alarm, missed = float(prices[0, 1]), float(prices[1, 0])
        share = alarm / (alarm + missed) if alarm + missed else 0.5
        return min(max(share, LOWEST), HIGHEST), alarm, missed

    def parts(self, table: FeatureTable) -> Parts:
        """Return what each signal adds to the log-odds of each level when it leaves its normal."""
        return asked_parts("log-odds", self.level, table, self.normal.of(table), self.group_of_column, len(self.groups))

    def _level(self, probabilities: Floats, *, placed: bool = True) -> Floats:
        """Return the level of probabilities of all codes, or (not ``placed``) of those that were ever seen."""
        place = np.arange(len(self.codes)) if placed else self.classifier.classes_
        return np.clip(1 - probabilities[:, place < self.good].sum(axis=1), LOWEST, HIGHEST)

    def _mistakes(self) -> list[tuple[int, int, float]]:
        place = {code: number for number, code in enumerate(self.codes)}
        return [
            (place[was], place[said], costs) for was, said, costs in self.mistakes if was in place and said in place
        ]


def bins_of(names: Sequence[str], histograms: Sequence[Sequence[str]]) -> list[list[int]]:
    """Return the places of the bins of each histogram, once for every feature of its signals.

    Examples
    --------
    >>> bins_of(("b1__mean__1h", "other__mean__1h", "b2__mean__1h"), [("b0", "b1", "b2")])
    [[0, 2]]
    """
    place = {name: number for number, name in enumerate(names)}
    found = []
    for signals in histograms:
        for feature in dict.fromkeys(_feature(name) for name in names if signal_of(name) in signals):
            bins = [place.get(f"{signal}{SEPARATOR}{feature}") for signal in signals]
            # A bin that never varied was left out, and is as empty in every row.
            known = [each for each in bins if each is not None]
            if len(known) > 1:
                found.append(known)
    return found


def _feature(name: str) -> str:
    """Return what a column says of its signal."""
    return name.removeprefix(signal_of(name)).removeprefix(SEPARATOR)


def _unit(name: str, units: Mapping[str, str]) -> str:
    """Return the unit of a column as far as it tells which columns may be subtracted."""
    return units.get(signal_of(name), "") + SEPARATOR + _feature(name)

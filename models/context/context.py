"""What a model has learnt of how machines run: their regimes, and what the other signals let expect."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from features.column import REGIME_SHARE, RESIDUAL, SEPARATOR, signal_of, span_token
from features.recipe import Recipe
from features.table import FeatureTable
from models.context.duties import FEWEST_WINDOWS, Duties
from models.context.expected import Expected
from models.context.window_regime import MIXED, UNKNOWN, regime_columns_of, window_regimes
from models.rows import machine_rows

_GOLDEN = 0.618
_UNFAMILIAR = 0.05
"""Share of a longer window that regimes may hold of which too little was learnt; none of the shortest one."""


@dataclass
class Context:
    """Makes of the rows of a recipe what a learner sees, and says which rows it knows nothing like.

    Attributes
    ----------
    windows : lengths, as in names of columns, shortest first
    duties : what machines are told to do; ``None`` where no signal says so or regimes are declared
    expected : what signals let expect of each other; ``None`` where that is not asked for
    left_out : signals that a learner does not see, since they are context and nothing else
    shares : part of the shortest windows that each regime holds, by its name; empty without regimes
    rows : how many windows apart from each other it was learnt from
    """

    windows: tuple[str, ...]
    duties: Duties | None
    expected: Expected | None
    left_out: tuple[str, ...]
    shares: dict[str, float]
    rows: int

    @classmethod
    def learn(
        cls, recipe: Recipe, table: FeatureTable, healthy: NDArray[np.bool_], *, hide_operating: bool
    ) -> Self | None:
        """Learn from rows that can be assessed; ``None`` where a recipe asks for no context.

        Parameters
        ----------
        healthy : rows of the table that are examples of normal, shape (n_rows,)
        hide_operating : whether the learner is to see what machines are told to do
        """
        if not recipe.operating and recipe.regimes is None and RESIDUAL not in recipe.features:
            return None
        windows = tuple(span_token(each) for each in recipe.windows)
        apart = _apart(table, recipe)
        duties = None
        if recipe.operating and recipe.regimes is None:
            duties = Duties.learn(table, recipe.operating, windows, apart)
        expected = None
        if RESIDUAL in recipe.features:
            signals = tuple(name for name in recipe.signals if name not in recipe.operating)
            inputs = recipe.operating or recipe.signals
            expected = Expected.learn(table.where(healthy), signals, inputs, windows)
        found = cls(windows, duties, expected, recipe.operating if hide_operating else (), {}, len(apart))
        regimes = window_regimes(found._with_shares(table.where(apart)))
        if regimes is not None:
            own = regimes.of_window[windows[0]]
            found.shares = {
                name: float((own == place).sum() / max((own != UNKNOWN).sum(), 1))
                for place, name in enumerate(regimes.names)
            }
        return found

    def applied(self, table: FeatureTable) -> FeatureTable:
        """Return the table as a learner sees it: residuals and regimes beside its features.

        A window that is unseen has no share of any regime: it is compared with nothing.
        """
        table = self._with_shares(table)
        for window in self.windows:
            of_window = regime_columns_of(table.names, window)
            if of_window:
                unseen = self._unseen(table, window)
                table.values[np.ix_(np.flatnonzero(unseen), np.array([*of_window.values()]))] = np.nan
        kept = [place for place, name in enumerate(table.names) if signal_of(name) not in self.left_out]
        names, values = tuple(table.names[place] for place in kept), table.values[:, kept]
        if self.expected is not None:
            names, values = (*names, *self.expected.names), np.concatenate([values, self.expected.of(table)], axis=1)
        beside = None if table.beside is None else self.applied(table.beside)
        return replace(table, names=names, values=values, beside=beside)

    def unseen(self, table: FeatureTable) -> NDArray[np.bool_]:
        """Say of each row of the recipe whether its shortest window is unlike all that was learnt from."""
        return self._unseen(self._with_shares(table), self.windows[0])

    def _unseen(self, table: FeatureTable, window: str) -> NDArray[np.bool_]:
        """Say of the windows of one length whether they are unlike all that was learnt from.

        That is what machines are told to do lies outside, or a regime holds some of the window of which too
        little was learnt; so is a change between regimes, for the shortest window.
        """
        found = np.zeros(len(table), np.bool_)
        if self.duties is not None:
            found |= self.duties.unseen(table, window)
        if self.shares:
            of_window = regime_columns_of(table.names, window)
            few = [place for name, place in of_window.items() if not self._enough(self.shares[name])]
            known = np.nan_to_num(table.values[:, [*of_window.values()]]).sum(axis=1)
            most = 0.0 if window == self.windows[0] else _UNFAMILIAR
            found |= np.nan_to_num(table.values[:, few]).sum(axis=1) > most * known
            regimes = window_regimes(table)
            if regimes is not None and window == self.windows[0] and not self._enough(self.shares[MIXED]):
                found |= regimes.of_window[window] == len(regimes.names) - 1
        return found

    def _with_shares(self, table: FeatureTable) -> FeatureTable:
        """Return a copy of the table that has the shares of regimes."""
        if self.duties is None:
            return replace(table, values=table.values.copy())
        names, values = list(table.names), [table.values]
        for window in self.windows:
            own = self.duties.of(table, window)
            for place, name in enumerate(self.duties.names):
                names.append(SEPARATOR.join((REGIME_SHARE, name, window)))
                values.append(np.where(own == UNKNOWN, np.nan, own == place)[:, np.newaxis])
        return replace(table, names=tuple(names), values=np.concatenate(values, axis=1))

    def card(self, units: Mapping[str, str]) -> dict[str, Any]:
        """Return the part of a model card that says how machines ran, JSON values only."""
        regimes = [
            {"name": name, "share": share, "windows": round(share * self.rows), "known": self._enough(share)}
            for name, share in self.shares.items()
        ]
        if self.duties is not None:
            for regime, mean in zip(regimes, self.duties.means * self.duties.scale + self.duties.centre, strict=False):
                told = zip(self.duties.signals, mean.tolist(), strict=True)
                regime["at"] = [{"signal": name, "mean": value, "unit": units.get(name, "")} for name, value in told]
        return {
            "operating": list(self.duties.signals) if self.duties is not None else [],
            "regimes": regimes,
            "expected_from": [] if self.expected is None else list(self.expected.inputs),
        }

    def _enough(self, share: float) -> bool:
        return round(share * self.rows) >= FEWEST_WINDOWS


def _apart(table: FeatureTable, recipe: Recipe) -> NDArray[np.intp]:
    """Return rows of each machine whose shortest windows do not overlap.

    They drift through the hours of the day, since much in a plant happens at the same hour: their distance is
    no whole number, and the golden ratio is worst approximated by one.
    """
    step = -(-recipe.windows[0] // recipe.stride) + _GOLDEN
    found = [np.empty(0, np.intp)]
    for rows in machine_rows(table.machine).values():
        count = rows.stop - rows.start
        places = np.floor(np.arange(int(count / step) + 1) * step).astype(np.intp)
        found.append(rows.start + places[places < count])
    return np.concatenate(found)

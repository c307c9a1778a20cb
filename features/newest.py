"""The newest windows of one machine by compiled code, where nothing is asked that only a few recipes ask.

A message that makes a window due waits for the answer, and numpy needs some hundred calls for it, however few
numbers there are. What comes out is the same to the bit, so either may work at any time.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from features.catalogue import BY_NAME
from features.column import Column
from features.filled import Shares, filled_share
from features.held_panes import LANES
from features.kernels.blocks import Blocks
from features.kernels.newest_terms import FreshPanes, Wanted
from features.kernels.windows import compiled_is_there
from features.live import Live, Reach
from features.microsecond import microseconds
from features.moments import Floats, Moments
from features.recipe import Recipe
from features.summary import least_samples, own_expected, samples_expected

_NEVER = np.iinfo(np.int64).max
_ALWAYS = np.ones(1)
_SAMPLES = Moments._fields.index("samples")


class Newest:
    """Windows of one machine that end with the stride in which its newest reading lies.

    Parameters
    ----------
    recipe : one that it ``knows``
    """

    def __init__(self, recipe: Recipe, reach: Reach) -> None:
        # Loaded where a kernel runs and never before, as in kernels.windows.
        from features.kernels.compiled import newest
        from features.kernels.formulas import FORMULAS
        from features.kernels.newest import newest_windows
        from features.kernels.stretch import FIELDS

        self._work, self._one_by_one = newest_windows, newest
        self._reach = reach
        self._signals = len(recipe.signals)
        self._plan = Blocks.of(reach.lengths)
        self._step = reach.stride // reach.pane
        width = -(-self._signals // LANES) * LANES
        self._blocks = np.zeros((FIELDS, self._plan.blocks, width))
        place = {length: number for number, length in enumerate(recipe.windows)}
        own = [place[each] for each in recipe.own_windows]
        self._own_blocks = self._plan.whole[own], np.arange(self._signals)
        self._own_expected = own_expected(recipe)
        of_signal = recipe.columns_of(recipe.signals[0])
        self.columns = len(of_signal)
        rows = []
        for number, column in enumerate(of_signal):
            window = place[column.window or recipe.lookback]
            longer = place[column.against] if column.against else window
            rows.append((FORMULAS.index(column.feature) if column.feature in FORMULAS else -1, window, longer, number))
        least = np.array([least_samples(recipe, length) for length in recipe.windows])
        self._wanted = tuple(Wanted(np.array(rows, np.int64), least, samples_expected(recipe)))
        self._steps = tuple(self._plan)
        self._kernels = tuple(name for name in recipe.features if BY_NAME[name].by_kernel)
        self._of_kernels = [
            (microseconds(each), self._places(of_signal, each)) for each in recipe.windows if self._kernels
        ]

    def _places(self, columns: Sequence[Column], length: timedelta) -> Any:
        """Return which columns hold what kernels make of windows of a length, in the order of the kernels."""
        names = [column.feature if column.window == length else "" for column in columns]
        places = [names.index(name) for name in self._kernels]
        even = places == list(range(places[0], places[0] + len(places))) if places else True
        return slice(places[0], places[0] + len(places)) if places and even else places

    @staticmethod
    def knows(recipe: Recipe) -> bool:
        """Whether compiled code is there and makes all that a recipe asks of the moments of its windows."""
        simple = recipe.running is None and recipe.regimes is None and bool(recipe.signals)
        return simple and compiled_is_there() and not any(BY_NAME[name].kind == "baseline" for name in recipe.features)

    def due(self, live: Live) -> bool:
        """Return whether the windows of one end are due, and nothing else has to be looked at."""
        reach = self._reach
        begin = live.given
        return (
            not live.again
            and live.since == _NEVER
            and begin + reach.stride <= live.newest < begin + 2 * reach.stride
            and live.made == begin
            and live.origin <= begin + reach.stride - reach.lookback
            and (not len(live.events.restarts) or int(live.events.restarts[-1]) <= live.origin)
        )

    def kernels(self, live: Live, found: Floats) -> bool:
        """Write the features of the windows that are due that kernels make of samples one by one.

        Returns
        -------
        bool
            ``False`` where a window holds no sample, or one that is missing: this is done elsewhere.
        """
        end = live.given + self._reach.stride
        for length, columns in self._of_kernels:
            times, rows = live.ring.between(end - length, end)
            values = np.add(rows[:, : self._signals].T, 0.0, order="C")
            if not len(times) or not np.isfinite(np.add.reduce(values, axis=None)):
                return False
            own = np.empty((len(self._kernels), self._signals, 1))
            self._one_by_one(values, times, end, self._kernels, own)
            found[:, columns] = own[:, :, 0].T
        return True

    def features(self, live: Live, found: Floats) -> tuple[float, bool, Shares]:
        """Write the features of the windows that are due, and hold what the next ones need.

        Parameters
        ----------
        found : shape (n_signals, columns), with those that are made of samples one by one; changed in place

        Returns
        -------
        share of the shortest window that readings cover, whether the longest one holds a reading, and the share
        of the expected readings that each signal's own window holds, shape (n_signals,)
        """
        reach = self._reach
        begin, end = live.given, live.given + reach.stride
        live.let_go(begin, end, reach)
        place = live.panes.room_for(self._step)
        fresh = FreshPanes(begin, reach.pane, place, place + self._step)
        filled, spoken = self._work(
            live.ring.held, tuple(fresh), live.panes.fields, self._steps, self._blocks, self._wanted, found
        )
        live.panes.lengthen(self._step)
        live.made = end
        return filled, spoken, filled_share(self._blocks[_SAMPLES][self._own_blocks], self._own_expected, _ALWAYS)

"""The newest windows of one machine by compiled code, where nothing is asked that only a few recipes ask.

A message that makes a window due waits for the answer, and numpy needs some hundred calls for it, however few
numbers there are. What comes out is the same to the bit, so either may work at any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.catalogue import BY_NAME
from features.column import Column
from features.filled import Shares, filled_share
from features.held_panes import LANES
from features.kernels.windows import compiled_is_there
from features.live import Live, Reach
from features.microsecond import microseconds
from features.moments import Floats, Moments
from features.recipe import Recipe
from features.summary import least_samples, own_expected, samples_expected

Places = NDArray[np.int64]

_NEVER = np.iinfo(np.int64).max
_ALWAYS = np.ones(1)
_SAMPLES = Moments._fields.index("samples")


@dataclass(frozen=True, slots=True)
class Plan:
    """Which panes and blocks of panes are combined to windows that end with the same pane.

    The order is that of ``moments.over_windows``: blocks of 1, 2, 4, … panes, newest first.

    Attributes
    ----------
    of_panes : older and newer pane, block that they make, and panes between their ends; shape (n, 4)
    single : pane and the block that it is, shape (n, 2)
    of_blocks : as ``of_panes``, of two blocks, shape (n, 4)
    whole : block of each window
    blocks : how many there are
    """

    of_panes: Places
    single: Places
    of_blocks: Places
    whole: Places
    blocks: int

    @classmethod
    def of(cls, lengths: Sequence[int]) -> "Plan":
        """Plan windows of some lengths, in panes; pane 0 is the first one of the longest."""
        of_panes: list[tuple[int, int, int, int]] = []
        single: list[tuple[int, int]] = []
        of_blocks: list[tuple[int, int, int, int]] = []
        known: dict[tuple[int, int], int] = {}
        count = 0

        def block(size: int, end: int) -> int:
            nonlocal count
            if (size, end) not in known:
                half = size // 2
                if size == 1:
                    single.append((end, count))
                elif size == 2:
                    of_panes.append((end - 1, end, count, 1))
                else:
                    of_blocks.append((block(half, end - half), block(half, end), count, half))
                known[size, end] = count
                count += 1
            return known[size, end]

        whole = []
        for length in lengths:
            window, done = -1, 0
            for level in range(length.bit_length()):
                if length >> level & 1:
                    older = block(1 << level, max(lengths) - 1 - done)
                    if done:
                        of_blocks.append((older, window, count, done))
                        window, count = count, count + 1
                    else:
                        window = older
                    done += 1 << level
            whole.append(window)
        return cls(
            of_panes=np.array(of_panes, np.int64).reshape(-1, 4),
            single=np.array(single, np.int64).reshape(-1, 2),
            of_blocks=np.array(of_blocks, np.int64).reshape(-1, 4),
            whole=np.array(whole, np.int64),
            blocks=count,
        )


class Newest:
    """Windows of one machine that end with the stride in which its newest reading lies.

    Parameters
    ----------
    recipe : one that it ``knows``
    """

    def __init__(self, recipe: Recipe, reach: Reach) -> None:
        # Loaded where a kernel runs and never before, as in kernels.windows.
        from features.kernels.compiled import newest
        from features.kernels.newest import FIELDS, FORMULAS, newest_windows

        self._work, self._one_by_one = newest_windows, newest
        self._reach = reach
        self._signals = len(recipe.signals)
        self._plan = Plan.of(reach.lengths)
        self._step = reach.stride // reach.pane
        width = -(-self._signals // LANES) * LANES
        self._blocks = np.zeros((FIELDS, self._plan.blocks, width))
        self._least = np.array([least_samples(recipe, length) for length in recipe.windows])
        self._expected = samples_expected(recipe)
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
        self._columns = np.array(rows, np.int64)
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
        reach, plan = self._reach, self._plan
        begin, end = live.given, live.given + reach.stride
        live.let_go(begin, end, reach)
        place = live.panes.room_for(self._step)
        origin = place + self._step - reach.lengths[-1]
        filled, spoken = self._work(
            *live.ring.held, begin, reach.pane, self._step, live.panes.fields, place, origin, plan.of_panes,
            plan.single, plan.of_blocks, self._blocks, plan.whole, self._columns, self._least, self._expected, found,
        )  # fmt: skip
        live.panes.lengthen(self._step)
        live.made = end
        return filled, spoken, filled_share(self._blocks[_SAMPLES][self._own_blocks], self._own_expected, _ALWAYS)

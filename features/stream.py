"""The same features as ``extract`` gives, one batch of readings at a time.

The newest readings of each machine lie in memory, with the moments of the panes that are complete. When a
window is due, the batch code works it out from them: there are no running sums. What memory does not
hold – a machine that is new, readings that come very late, events – the batch code reads from the store.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from features.arrivals import by_machine
from features.baseline import own_normal
from features.catalogue import BY_NAME
from features.extract import CELLS, extract
from features.feature import Feature
from features.from_memory import from_memory
from features.kernels.windows import Engine
from features.live import HeldReadings, Live, Reach, load, load_events
from features.microsecond import EPOCH, MICROSECOND, microseconds, moment
from features.moments import Floats
from features.newest import Newest
from features.one_by_one import one_by_one
from features.recipe import Recipe
from features.streamed import Streamed, joined
from features.table import FeatureTable
from features.touched import ever_since
from features.usage import usage
from ingest.history import History
from ingest.reading import Readings


class Stream:
    """Follow machines: after each batch of readings, the rows of the windows that became due.

    A window is due when a reading at or after its end came. Whatever comes is kept in the store first and
    told to the stream then. What was given so far, each span replaced by what came out for it later, equals
    what ``extract`` makes of the store, bit for bit, for all window ends within ``late_within`` of a
    machine's newest reading; older rows are final and were right when they were given.

    Readings of sensors that could not be believed are in its rows, as in those of ``extract``; training and
    rounds leave them out.

    A stream holds nothing that the store does not: one made anew, with the window ends that were given
    before, goes on without a gap.

    Parameters
    ----------
    recipe : features, windows and stride
    history : the store that holds all readings and events
    since : window ends up to this are given for no machine
    given : for each machine, the newest window end whose row was given before; rows within
        ``late_within`` are given again, in case that something came late meanwhile
    late_within : how long after the end of a window late readings and events change its row
    cells : about how many readings may be held at once while something is read from the store
    engine : ``auto`` makes single windows by compiled code where numba is installed; the numbers are the same

    Attributes
    ----------
    signals : the order of values in ``put``
    read_again : how many times a machine was read from the store

    Raises
    ------
    ValueError
        When ``late_within`` is negative, the recipe has waveforms, whose snapshots are read from the store, or a
        reference.
    """

    def __init__(
        self,
        recipe: Recipe,
        history: History,
        *,
        since: datetime,
        given: Mapping[str, datetime] | None = None,
        late_within: timedelta = timedelta(0),
        cells: int = CELLS,
        engine: Engine = "auto",
    ) -> None:
        if late_within < timedelta(0):
            raise ValueError(f"late_within is {late_within}; it is a span of time, such as one hour")
        if recipe.waveforms:
            raise ValueError(
                f"'{recipe.waveforms[0].signal}' is a waveform, which a stream does not hold; leave it out, or extract"
            )
        if recipe.reference is not None:
            raise ValueError(
                "the readings of this recipe are referred to one condition, which a stream does not do; extract"
            )
        self.recipe, self.history = recipe, history
        self.read_again = 0
        self._reach = Reach.of(recipe, late_within)
        self.signals = self._reach.signals
        self._cells, self._since = cells, moment(since)
        self._machines: dict[str, Live] = {}
        self._held = HeldReadings(self._reach, self._machines)
        self._due: set[str] = set()
        self._against_normal = any(BY_NAME[name].kind == "baseline" for name in recipe.features)
        self._of_signals = sum(bool(column.signal) for column in recipe.columns)
        self._clocks = [(place, column) for place, column in enumerate(recipe.columns) if column.of_events]
        self._nothing = Streamed(extract(recipe, history, [], since, since), {})
        self._newest = Newest(recipe, self._reach) if engine != "plain" and Newest.knows(recipe) else None
        self._one_by_one = [
            (number, BY_NAME[column.feature], column.window or recipe.lookback)
            for number, column in enumerate(recipe.columns_of(recipe.signals[0]) if recipe.signals else ())
            if BY_NAME[column.feature].one_by_one
        ]
        offered = [recipe.offers(column) for signal in recipe.signals for column in recipe.columns_of(signal)]
        self._offered = None if all(offered) else np.array(offered)
        self._before = dict(given or {})
        for machine, (first, newest) in history.spans(recipe.machine_class).items():
            live = self._follow(machine, moment(first), moment(newest))
            if machine in self._before:
                live.given, live.since = self._reach.last_end(moment(self._before[machine])), self._since + 1

    @property
    def bytes(self) -> int:
        """How much memory readings and panes take."""
        lives = self._machines.values()
        return sum(live.ring.bytes + live.panes.bytes for live in lives)

    def take(self, readings: Readings | None = None, events: pd.DataFrame | None = None) -> Streamed:
        """Take what was just added to the store, and return the rows that are due.

        Parameters
        ----------
        readings : in the order of their arrival; of one machine, time and signal the last one counts
        events : a table with ``EVENT_COLUMNS``; which machines it names, and from when on, matters alone

        Raises
        ------
        ValueError
            When the readings are of another machine class, or of a machine that the store has none of.
        """
        if readings is not None:
            if readings.machine_class != self.recipe.machine_class:
                raise ValueError(
                    f"readings of class '{readings.machine_class}'; this stream follows '{self.recipe.machine_class}'"
                )
            for name, times, rows in by_machine(readings, self.signals):
                self._take(name, times, rows)
        if events is not None and len(events):
            for machine, begin in events.groupby("machine")["time"].min().items():
                live = self._machines.get(str(machine))
                if live is not None:
                    live.since, live.again = min(live.since, moment(begin)), True
                    live.normal = None
                    self._due.add(live.machine)
        return self.update()

    def put(self, machine: str, time: int, row: Sequence[float] | Floats) -> Streamed:
        """Take one message, and return the rows that are due.

        Parameters
        ----------
        time : in microseconds since 1970
        row : a finite number for each of ``signals``; NaN where it was not read
        """
        live = self._machines.get(machine)
        if live is None or live.again or time <= live.newest:
            self._take(machine, np.array([time]), np.array([row], np.float64))
            return self.update()
        live.ring.append(time, row)
        live.newest = time
        if time - live.given < self._reach.stride and not self._due:
            return self._nothing
        if self._newest is not None and not self._due and self._newest.due(live):
            return self._from_newest(self._newest, live)
        self._due.add(machine)
        return self.update()

    def update(self) -> Streamed:
        """Return the rows that are due; all since ``given`` the first time."""
        together: dict[tuple[int, int, int], list[Live]] = defaultdict(list)
        again: dict[tuple[int, int], list[Live]] = defaultdict(list)
        due = [self._machines[name] for name in sorted(self._due)]
        for live in due:
            live.again = not live.held(self._reach, *live.due(self._reach))
        self._refresh([live for live in due if live.again])
        for live in due:
            begin, end = live.due(self._reach)
            if live.again:
                again[begin, end].append(live)
            elif begin < end:
                together[begin, end, live.made].append(live)
        if not together and not again:
            return self._nothing
        tables = [self._from_store(lives, *span) for span, lives in again.items()]
        for (begin, end, _), lives in together.items():
            self._learn_normal(lives, end)
            tables.append(from_memory(self.recipe, self._reach, self._held, lives, (begin, end), self._cells))
        spans = {}
        for (begin, end, *_), lives in [*again.items(), *together.items()]:
            for live in lives:
                live.given, live.since = max(begin, end), _NEVER
                if begin < end:
                    spans[live.machine] = EPOCH + begin * MICROSECOND, EPOCH + end * MICROSECOND
        self._due.clear()
        return Streamed(joined(tables), spans)

    def _follow(self, machine: str, first: int, newest: int) -> Live:
        live = self._machines[machine] = Live(machine, first, newest, self._begin(first))
        self._due.add(machine)
        return live

    def _begin(self, first: int) -> int:
        """Return the window end after which a machine's rows begin that was given none."""
        return max(self._reach.last_end(self._since), self._reach.last_end(first - 1))

    def _take(self, machine: str, times: Any, rows: Floats) -> None:
        live = self._machines.get(machine)
        if live is None:
            self._follow(machine, int(times.min()), int(times.max()))
            return
        if not live.again and times[0] > live.newest and (times[1:] > times[:-1]).all():
            live.ring.extend(times, rows)
            live.newest = int(times[-1])
        else:
            for time, row in zip(times.tolist(), rows, strict=True):
                if time <= live.newest:
                    live.learn(time, row, self._reach, ever_since(self.recipe, min(live.first, time)))
                else:
                    live.ring.append(time, row) if not live.again else None
                    live.newest = time
        self._due.add(machine)

    def _refresh(self, lives: Sequence[Live]) -> None:
        """Look up what the store says of machines that are to be read from it."""
        if not lives:
            return
        spans = self.history.spans(self.recipe.machine_class)
        for live in lives:
            if live.machine not in spans:
                raise ValueError(f"machine '{live.machine}' has no readings in the store; add them to it first")
            live.first, live.newest = (moment(each) for each in spans[live.machine])
            if live.made == _NEVER and live.machine not in self._before:
                live.given = self._begin(live.first)
        load_events(self.recipe, self.history, lives)

    def _from_store(self, lives: Sequence[Live], begin: int, end: int) -> FeatureTable:
        self.read_again += len(lives)
        start, stop = EPOCH + begin * MICROSECOND, EPOCH + max(begin, end) * MICROSECOND
        names = [live.machine for live in lives]
        table = extract(self.recipe, self.history, names, start, stop, cells=self._cells)
        load(self.recipe, self.history, lives, self._reach, self._cells)
        return table

    def _from_newest(self, newest: Newest, live: Live) -> Streamed:
        """Return the row of the one window end that is due of a machine."""
        recipe = self.recipe
        begin, end = live.given, live.given + self._reach.stride
        found = np.empty((len(recipe.signals), newest.columns))
        if self._one_by_one:
            with np.errstate(all="ignore"):
                kernels = newest.kernels(live, found)
                rest = [each for each in self._one_by_one if not (kernels and each[1].by_kernel)]
                self._write_one_by_one(live, end, rest, found)
        filled, spoken, shares = newest.features(live, found)
        values = found.reshape(1, -1) if self._offered is None else found.reshape(1, -1)[:, self._offered]
        if self._clocks:
            of_signals, values = values, np.empty((1, len(recipe.columns)))
            values[:, : self._of_signals] = of_signals
        for place, column in self._clocks:
            values[:, place] = usage(column, live.events, live.first, np.array([end]))
        live.given = end
        time = np.array([end], "datetime64[us]")
        machine = np.array([live.machine], object)
        table = FeatureTable(
            machine, time, recipe.names, values, np.array([filled]),
            signals=recipe.summarised, filled_by_signal=shares[np.newaxis],
        )  # fmt: skip
        alive = spoken and end >= live.first
        spans = {live.machine: (EPOCH + begin * MICROSECOND, EPOCH + end * MICROSECOND)}
        return Streamed(table if alive else table.where(np.zeros(1, np.bool_)), spans)

    def _write_one_by_one(
        self, live: Live, end: int, which: Sequence[tuple[int, Feature, timedelta]], found: Floats
    ) -> None:
        """Write features of single samples of one window end into their columns."""
        if not which:
            return
        features = list(dict.fromkeys(feature for _, feature, _ in which))
        own = one_by_one(
            self.recipe, self._held, (live.machine,), (live.events.restarts,), np.array([end]), features, self._cells
        )
        for place, feature, length in which:
            found[:, place] = own[feature.name, length][:, 0, 0]

    def _learn_normal(self, lives: Sequence[Live], end: int) -> None:
        """Read the own normal of machines of which it is not known, once all of its time is over."""
        if not self._against_normal or self.recipe.baseline is None:
            return
        length = microseconds(self.recipe.baseline)
        new = [live for live in lives if live.normal is None and live.first + length <= end]
        if new:
            firsts = {live.machine: live.first for live in new}
            normal, ran = own_normal(self.recipe, self.history, list(firsts), firsts, self._cells)
            for place, live in enumerate(new):
                live.normal = normal.copy((slice(None), slice(place, place + 1)))
                live.normal_ran = float(ran[place])


_NEVER = np.iinfo(np.int64).max

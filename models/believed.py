"""Feature tables and assessments that rest on readings which could be believed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from features.extract import extract
from features.recipe import Recipe
from features.table import FeatureTable
from ingest.history import History
from ingest.plant import MachineClass, Plant, Target
from models.assess import assess_table, doubt_one_signal, none_while_down, none_while_unbelieved
from models.assessment import Assessments
from models.bundle import Bundle
from models.explain import Explanation, explain
from models.labels.label import target_events
from models.moment import as_datetime, instant, span
from models.rows import machine_rows
from models.sensors.believed_history import BelievedHistory
from models.sensors.block import HOUR, Hours
from models.sensors.doubt import Doubt, doubts
from models.sensors.health import Health, sensor_health
from models.sensors.normal_health import normal_ends, normal_health

_NOTHING: frozenset[Doubt] = frozenset()
_NO_NORMAL = np.datetime64("NaT")


@dataclass(frozen=True, slots=True)
class BelievedTable:
    """A feature table, and which sensors could be believed meanwhile.

    Attributes
    ----------
    table : made without the readings that were doubted at the time of each row
    health : of each machine, from the begin of the longest window of its first row to its last row
    """

    table: FeatureTable
    health: Mapping[str, Health]

    def assessed(self, bundle: Bundle, rows: FeatureTable) -> Assessments:
        """Assess some rows of the table.

        There is no level where a broken sensor lies in the shortest window. What is over the threshold and rests on one
        signal alone is no alert, unless a failure that was recorded began so and the sensor agrees with the others.
        """
        said = assess_table(bundle, rows)
        said = none_while_unbelieved(said, self.health, bundle.recipe.signals, bundle.recipe.windows[0])
        return doubt_one_signal(said, bundle, rows, self.health)


def believed_table(
    recipe: Recipe,
    machine_class: MachineClass,
    history: History,
    machines: Sequence[str],
    start: datetime,
    end: datetime,
) -> BelievedTable:
    """Return the features of machines at every window end in (start, end], without doubted readings.

    What was doubted later than a row counts there all the same: whoever asks later is told the same.
    """
    spans = history.spans(machine_class.name)
    names = [name for name in sorted(set(machines)) if name in spans]
    if not names:
        return BelievedTable(extract(recipe, history, machines, start, end), {})
    last = min(end, max(spans[name][1] for name in names) + recipe.lookback)
    health = _health(recipe, machine_class, history, spans, names, start, last)
    normal = _normal(recipe, history, names)
    known = _hidden(recipe, _known(recipe, machine_class, history, health, last))
    table = extract(recipe, BelievedHistory(history, known), names, start, end)
    rows = machine_rows(table.machine)
    for name, own in known.items():
        if name in rows:
            for piece, then in _otherwise(recipe, table.time[rows[name]], own, normal.get(name, _NO_NORMAL)):
                mine = np.arange(rows[name].start, rows[name].stop)[piece]
                _replace(recipe, BelievedHistory(history, {name: sorted(then, key=str)}), table, mine)
    return BelievedTable(replace(table, beside=table), health)


def believed(
    plant: Plant, history: History, bundle: Bundle, machines: Sequence[str], start: datetime, end: datetime
) -> Assessments:
    """Assess machines at every window end in (start, end]; see ``believed_table`` and ``none_while_unbelieved``.

    Only readings and events at or before each window end have a say in it.
    """
    machine_class = plant.class_named(bundle.entry.machine_class)
    found = beside_peers(bundle, machine_class, history, machines, start, end)
    failures = history.events(machines=machines, kinds=["failure"], end=end)
    return none_while_down(found.assessed(bundle, found.table), target_events(failures, Target()))


def beside_peers(
    bundle: Bundle,
    machine_class: MachineClass,
    history: History,
    machines: Sequence[str],
    start: datetime,
    end: datetime,
) -> BelievedTable:
    """Return the believed table of machines, and beside it what their peers did, as far as the bundle asks for that."""
    asked = set(machines)
    found = believed_table(bundle.recipe, machine_class, history, [*asked, *bundle.peers_of(asked)], start, end)
    return replace(found, table=found.table.where(np.isin(found.table.machine.astype(str), [*asked])))


def explained(
    plant: Plant, history: History, bundle: Bundle, machine: str, at: datetime, *, began: datetime | None = None
) -> Explanation:
    """Explain what a bundle says of a machine at a window end, and say which signals were left out, if any.

    Raises
    ------
    NotEnoughDataError
        When there is no window that ends then.
    """
    machine_class = plant.class_named(bundle.entry.machine_class)
    spans, names = history.spans(machine_class.name), [machine, *bundle.peers_of([machine])]
    health = _health(bundle.recipe, machine_class, history, spans, [name for name in names if name in spans], at, at)
    moment, reach = np.array([instant(at)]), instant(at - bundle.recipe.lookback)
    known = _known(bundle.recipe, machine_class, history, health, at)
    hidden = {name: [each for each in own if each.at(moment)[0]] for name, own in _hidden(bundle.recipe, known).items()}
    found = explain(bundle, BelievedHistory(history, hidden), machine, at, began=began)
    late = [each.signal for each in hidden.get(machine, ()) if each.end > reach]
    left_out = [each for each in dict.fromkeys(late) if each in bundle.recipe.signals]
    if not left_out:
        return found
    of_itself = {each.signal for each in known[machine]}
    words = "its sensor" if of_itself >= set(left_out) else "a sensor that says when the machine runs"
    return found._replace(
        sentence=f"{found.sentence}. Left out where {words} could not be believed: {', '.join(left_out)}"
    )


def _health(
    recipe: Recipe,
    machine_class: MachineClass,
    history: History,
    spans: Mapping[str, tuple[datetime, datetime]],
    machines: Sequence[str],
    start: datetime,
    end: datetime,
) -> dict[str, Health]:
    """Return the health of sensors from the begin of the longest window that ends after ``start``."""
    known = [spans[name][0] for name in machines if name in spans]
    first = max(start - recipe.lookback, min(known, default=start) - timedelta(hours=1))
    return sensor_health(history, machine_class, machines, first, max(first, end))


def _normal(recipe: Recipe, history: History, machines: Sequence[str]) -> dict[str, np.datetime64]:
    return {name: instant(each) for name, each in normal_ends(recipe, history, machines).items()}


def _known(
    recipe: Recipe, machine_class: MachineClass, history: History, health: Mapping[str, Health], end: datetime
) -> dict[str, tuple[Doubt, ...]]:
    """Return the doubts about each machine that has any, those about its own normal first.

    There are none where nothing would be left to watch it by.
    """
    if len(recipe.signals) < 2:
        return {}
    normal = normal_health(recipe, machine_class, history, normal_ends(recipe, history, list(health)), end)
    found = {name: [*(doubts(normal[name]) if name in normal else ()), *doubts(each)] for name, each in health.items()}
    return {name: tuple(dict.fromkeys(own)) for name, own in found.items() if own}


def _hidden(recipe: Recipe, known: Mapping[str, Sequence[Doubt]]) -> dict[str, tuple[Doubt, ...]]:
    """Return doubts of each machine's signals; of all of them, once it is over, of one that says when the machine runs.

    Nobody knows which readings of that time are those of a stop, and what is read at a stop looks like damage. While
    it lasts they are looked at all the same: a dead sensor switches no watch off.
    """
    says = () if recipe.running is None else recipe.running.signals
    found = {}
    for machine, own in known.items():
        blind = [
            Doubt(other, doubt.begin, doubt.end, max(doubt.known, doubt.end + HOUR))
            for doubt in own
            for other in (recipe.signals if doubt.signal in says else ())
        ]
        found[machine] = tuple(dict.fromkeys([*own, *blind]))
    return found


def _otherwise(
    recipe: Recipe, times: Hours, own: Sequence[Doubt], normal: np.datetime64
) -> Iterator[tuple[slice, frozenset[Doubt]]]:
    """Yield rows at which not all doubts that reach them were known yet, and which were.

    Doubts that begin before ``normal``, up to when the machine's own normal is read, reach every later row.
    """
    used, stood = ([_NOTHING] * len(times) for _ in range(2))
    for each in own:
        reached = (times > each.begin) & ((times < each.end + span(recipe.lookback)) | (each.begin < normal))
        for row in np.flatnonzero(reached).tolist():
            used[row] |= {each}
            if each.at(times[row]):
                stood[row] |= {each}
    begin = 0
    for row in range(1, len(times) + 1):
        if (
            row == len(times)
            or stood[row] != stood[begin]
            or (used[row] != stood[row]) != (used[begin] != stood[begin])
        ):
            if used[begin] != stood[begin]:
                yield slice(begin, row), stood[begin]
            begin = row


def _replace(recipe: Recipe, history: History, table: FeatureTable, rows: NDArray[np.intp]) -> None:
    start, end = as_datetime(table.time[rows[0]]) - recipe.stride, as_datetime(table.time[rows[-1]])
    anew = extract(recipe, history, [str(table.machine[rows[0]])], start, end)
    place = np.searchsorted(anew.time, table.time[rows])
    known = np.flatnonzero(np.isin(table.time[rows], anew.time))
    table.values[rows[known]] = anew.values[place[known]]
    table.filled[rows[known]] = anew.filled[place[known]]
    if table.filled_by_signal is not None and anew.filled_by_signal is not None:
        table.filled_by_signal[rows[known]] = anew.filled_by_signal[place[known]]
    if table.off is not None and anew.off is not None:
        table.off[rows[known]] = anew.off[place[known]]

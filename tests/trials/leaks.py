"""Plant leaks in tables of simulated machines, and count those found and the clean columns that are named.

Run ``python -m tests.trials.leaks`` for the seeds that are reported, ``--chosen`` for those on which the
thresholds were chosen, ``--json`` for the figures alone.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.extract import extract
from features.leakage import find_leaks
from features.leaks.leak import Leak
from features.leaks.seen import Parts
from features.recipe import Recipe
from features.table import FeatureTable
from features.usual import SIGNAL_FEATURES, USAGE_FEATURES
from ingest.plant import Target
from ingest.simulation.machine import simulate
from ingest.simulation.scenario import Scenario
from models.judging.interval import wilson
from models.judging.split import Fold, choose_folds
from models.labels.label import label, target_events
from tests.features.table_history import TableHistory

KINDS = ("pump", "spindle", "compressor", "conveyor", "press")
CHOSEN = tuple((kind, 1) for kind in KINDS)
PLANTED_IN = tuple((kind, seed) for seed in (11, 12) for kind in KINDS)
CLEAN = tuple((kind, seed) for seed in range(11, 23) for kind in KINDS)
KEPT = 4
"""Leaks are planted beside every so many-th clean column, as 28 of them in all of each table take long."""
EVERY, STRIDE = timedelta(minutes=30), timedelta(hours=4)
PLANTED = "planted__mean__12h"


@dataclass(frozen=True)
class Case:
    """A table with its labels, failures and folds, in which nothing leaks until something is planted."""

    table: FeatureTable
    labels: NDArray[np.int8]
    targets: pd.DataFrame
    horizon: timedelta
    folds: Sequence[Parts]
    random: np.random.Generator

    def leaks(self) -> tuple[Leak, ...]:
        """Return what the linter names."""
        return find_leaks(self.table, self.labels, self.targets, self.horizon, self.folds)

    def with_few(self) -> "Case":
        """Return the case with every so many-th column."""
        names, values = self.table.names[::KEPT], self.table.values[:, ::KEPT]
        return replace(self, table=replace(self.table, names=names, values=values))

    def with_column(self, values: NDArray[Any]) -> "Case":
        """Return the case with one more column."""
        table = self.table
        wider = np.column_stack([table.values, np.asarray(values, dtype=np.float64)])
        return replace(self, table=replace(table, names=(*table.names, PLANTED), values=wider))

    @property
    def horizon_hours(self) -> float:
        """The horizon in hours."""
        return self.horizon / timedelta(hours=1)

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Times in seconds since 1970."""
        return self.table.time.astype("datetime64[s]").astype(np.float64)

    @property
    def to_next(self) -> NDArray[np.float64]:
        """Hours to the machine's next failure; NaN after its last."""
        return self._around(0)

    @property
    def since_last(self) -> NDArray[np.float64]:
        """Hours since the machine's last failure, or since its first row."""
        return self._around(-1)

    def _around(self, side: int) -> NDArray[np.float64]:
        hours = np.full(len(self.table), np.nan)
        begins = self.targets["begin"].to_numpy("datetime64[s]").astype(np.float64)
        for machine in sorted(set(self.table.machine)):
            rows = np.flatnonzero(self.table.machine == machine)
            mine, time = begins[(self.targets["machine"] == machine).to_numpy()], self.seconds[rows]
            edges = np.concatenate([[time[0]], mine, [np.nan]])
            place = np.searchsorted(mine, time, side="left")
            hours[rows] = np.abs(edges[place + 1 + side] - time) / 3600
        return hours

    def by_machine(self, of: Callable[[NDArray[np.intp]], Any]) -> NDArray[np.float64]:
        """Return a column made machine by machine."""
        made = np.full(len(self.table), np.nan)
        for machine in sorted(set(self.table.machine)):
            rows = np.flatnonzero(self.table.machine == machine)
            made[rows] = of(rows)
        return made


@lru_cache(maxsize=1)
def clean(kind: str, seed: int) -> Case:
    """Return a table of simulated machines as training would see it."""
    plan = Scenario(
        machines={kind: 12}, days=150, every=EVERY, seed=seed, failures_per_machine_year=8.0, sudden_share=0.15,
        maintenance_every=timedelta(days=45),
    )  # fmt: skip
    histories = list(simulate(plan))
    readings = pd.concat([each.readings.table.to_pandas() for each in histories])
    history = TableHistory(readings.drop(columns="arrived"))
    history.known_events = pd.concat([each.events for each in histories]).sort_values("time", ignore_index=True)
    errors = sorted(set(history.events(kinds=["error"])["code"]))
    continuous = plan.pattern(plan.plant()[0].kind).hours_per_year > 8000
    horizon = timedelta(days=3 if continuous else 5)
    windows = (timedelta(hours=12), timedelta(days=3), timedelta(days=14))
    recipe = Recipe(
        machine_class=kind, signals=history.signals, windows=windows, stride=STRIDE,
        features=SIGNAL_FEATURES + USAGE_FEATURES,
        components=tuple(each.name for each in plan.plant()[0].kind.components),
        error_codes=tuple(errors), every=(EVERY,) * len(history.signals),
    )  # fmt: skip
    begin, end = (datetime.fromtimestamp(each, UTC) for each in (plan.begin, plan.end))
    table = extract(recipe, history, sorted(set(readings["machine"])), begin, end)
    table = table.where(table.filled >= 0.5)
    targets = target_events(history.known_events, Target())
    labels = label(table, targets, horizon, end)
    folds = choose_folds(table, targets, horizon, "time")
    return Case(table, labels, targets, horizon, folds, np.random.default_rng(seed))


def _future(case: Case, rows: int) -> NDArray[np.float64]:
    """Move a column of the table into the past by some rows."""
    values = case.table.values[:, 0]
    return case.by_machine(lambda mine: values[np.minimum(mine + rows, mine[-1])])


def _filled_back(case: Case) -> NDArray[np.float64]:
    """Take every sixth value of a column, and fill the gaps with what comes next."""
    values = case.table.values[:, 0]
    return case.by_machine(lambda mine: values[np.minimum(mine - mine % 6 + 6, mine[-1])])


def _line_of(case: Case) -> NDArray[np.intp]:
    return pd.factorize(case.table.machine)[0] // 3


def _mean_by(case: Case, group: NDArray[np.intp]) -> NDArray[np.float64]:
    known = np.where(case.labels >= 0, case.labels, np.nan)
    return pd.Series(known).groupby(group).transform("mean").to_numpy()


def _column(make: Callable[[Case], NDArray[Any]]) -> Callable[[Case], Case]:
    return lambda case: case.with_column(make(case))


def _near(case: Case) -> NDArray[np.bool_]:
    """Rows of two thirds of a horizon after a failure."""
    since, failed = case.since_last, case.by_machine(lambda rows: _failed_before(case, rows))
    return (since < case.horizon_hours * 2 / 3) & (failed > 0)


def _failed_before(case: Case, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    mine = case.targets[(case.targets["machine"] == case.table.machine[rows[0]]).to_numpy()]
    return np.searchsorted(mine["begin"].to_numpy("datetime64[us]"), case.table.time[rows], side="left")


def _length_of_run(case: Case) -> NDArray[np.float64]:
    return np.round(case.to_next + case.since_last, 3)


def _to_service(case: Case) -> NDArray[np.float64]:
    return case.by_machine(lambda rows: 30 - (case.seconds[rows] / 86400 + 7 * (rows[0] % 5)) % 30)


def _copied_machine(case: Case) -> Case:
    """Record one machine a second time under another name, and keep the two apart in the split."""
    table, rows = case.table, np.flatnonzero(case.table.machine == case.table.machine[0])
    both = np.concatenate([np.arange(len(table)), rows])
    machine = table.machine[both].copy()
    machine[len(table) :] = "zz-copy"
    doubled = replace(table.where(both), machine=machine)
    copies = np.arange(len(table), len(both))
    targets = case.targets[(case.targets["machine"] == table.machine[0]).to_numpy()].assign(machine="zz-copy")
    return replace(
        case, table=doubled, labels=case.labels[both], targets=pd.concat([case.targets, targets], ignore_index=True),
        folds=[Fold(np.arange(len(table)), copies)],
    )  # fmt: skip


def _at_random(case: Case) -> Case:
    chosen = case.random.random(len(case.table)) < 0.2
    return replace(case, folds=[Fold(np.flatnonzero(~chosen), np.flatnonzero(chosen))])


def _without_gap(case: Case) -> Case:
    cut = np.quantile(case.seconds, 0.7)
    return replace(case, folds=[Fold(np.flatnonzero(case.seconds <= cut), np.flatnonzero(case.seconds > cut))])


def _noise(case: Case) -> NDArray[np.float64]:
    return case.random.standard_normal(len(case.table))


def _sign(case: Case) -> NDArray[np.float64]:
    return np.where(case.to_next <= case.horizon_hours, 1.0, 0.0)


LEAKS: dict[str, Callable[[Case], Case]] = {
    "the label": _column(lambda case: case.labels == 1),
    "the label in another unit": _column(lambda case: 273.15 - 40.0 * _sign(case)),
    "the label in noise": _column(lambda case: _sign(case) + 0.25 * _noise(case)),
    "the label, a third of the horizon earlier": _column(lambda case: case.to_next <= case.horizon_hours * 4 / 3),
    "the label, a third of the horizon later": _column(lambda case: case.to_next <= case.horizon_hours * 2 / 3),
    "hours to the failure": _column(lambda case: np.nan_to_num(case.to_next, nan=5000.0)),
    "hours to the failure, as a logarithm": _column(lambda case: np.log1p(np.nan_to_num(case.to_next, nan=5000.0))),
    "share of the life that has passed": _column(
        lambda case: np.nan_to_num(case.since_last / (case.since_last + case.to_next), nan=0.3)
    ),
    "days to the next service": _column(_to_service),
    "length of the run": _column(_length_of_run),
    "target mean of the machine": _column(lambda case: _mean_by(case, pd.factorize(case.table.machine)[0])),
    "target mean of the line": _column(lambda case: _mean_by(case, _line_of(case))),
    "target mean so far": _column(
        lambda case: case.by_machine(lambda rows: np.cumsum(case.labels[rows] == 1) / np.arange(1, len(rows) + 1))
    ),
    "number of the machine": _column(lambda case: (pd.factorize(case.table.machine)[0] * 37) % 101),
    "number of the row": _column(lambda case: np.arange(len(case.table))),
    "number of the row in a file sorted by label": _column(
        lambda case: np.argsort(np.argsort(-case.labels, kind="stable"))
    ),
    "number of the delivery": _column(lambda case: pd.factorize(case.table.time, sort=True)[0]),
    "moves after failures only": _column(lambda case: 20 + 0.1 * _noise(case) + 15.0 * _near(case)),
    "there after failures only": _column(lambda case: np.where(_near(case), 4 + _noise(case), np.nan)),
    "missing before failures": _column(lambda case: np.where(_sign(case) > 0, np.nan, _noise(case))),
    "filled with a constant unless before failures": _column(
        lambda case: np.where(_sign(case) > 0, 7 + _noise(case), -1)
    ),
    "missing where the outcome is unknown": _column(lambda case: np.where(case.labels < 0, np.nan, _noise(case))),
    "another signal, a day ahead": _column(lambda case: _future(case, 6)),
    "another signal, gaps filled from later": _column(_filled_back),
    "known to grow over the whole horizon": _column(
        lambda case: np.maximum(0, 1 - case.to_next / (1.3 * case.horizon_hours)).astype(float)
        + 0.01 * _noise(case)
    ),
    "split at random": _at_random,
    "split in time without a gap": _without_gap,
    "a machine under two names": _copied_machine,
}  # fmt: skip
"""What is planted, by what an engineer would call it."""


def measure(
    planted: Sequence[tuple[str, int]], clean_ones: Sequence[tuple[str, int]], tell: Callable[[str], Any] | None = None
) -> dict[str, Any]:
    """Return how often each planted leak is found, and what is named in clean tables."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    named: list[dict[str, Any]] = []
    columns = failures = 0
    for kind, seed in clean_ones:
        case = clean(kind, seed)
        leaks = case.leaks()
        columns, failures = columns + len(case.table.names), failures + len(case.targets)
        if tell is not None:
            tell(f"{kind} {seed}: {len(leaks)} named\n")
        named += [{"table": f"{kind} {seed}", **leak.to_dict()} for leak in leaks]
        if (kind, seed) in planted:
            before = {leak.column for leak in leaks}
            for name, plant in LEAKS.items():
                new = [leak.kind for leak in plant(case.with_few()).leaks() if leak.column not in before]
                found[name][new[0] if new else "not found"] += 1
    wrong = len({each["table"] for each in named})
    interval = wilson(wrong, len(clean_ones))
    return {
        "tables": len(clean_ones),
        "columns": columns,
        "failures": failures,
        "planted_in": len(planted),
        "found": {name: dict(kinds) for name, kinds in found.items()},
        "clean_tables_named": wrong,
        "clean_tables_refused": len({each["table"] for each in named if each["refused"]}),
        "clean_tables_interval": [interval.low, interval.high],
        "clean_columns_named": len(named),
        "clean": named,
    }


def main() -> None:
    """Print one row for each planted leak, and what was named in clean tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--chosen", action="store_true")
    asked = parser.parse_args()
    result = measure(*((CHOSEN, CHOSEN) if asked.chosen else (PLANTED_IN, CLEAN)), tell=sys.stderr.write)
    sys.stdout.write(json.dumps(result, indent=2) + "\n" if asked.json else lines_of(result))


def lines_of(result: dict[str, Any]) -> str:
    """Return the figures as lines for people."""
    tables, planted_in = result["tables"], result["planted_in"]
    lines = [f"{tables} tables, {result['columns']:,} columns, {result['failures']} failures"]
    for name, kinds in result["found"].items():
        right = planted_in - kinds.get("not found", 0)
        said = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
        lines.append(f"{name:<48} {right:>3} of {planted_in}   {said}")
    low, high = result["clean_tables_interval"]
    lines.append(
        f"clean tables named: {result['clean_tables_named']} of {tables} [{low:.1%}-{high:.1%}],"
        f" refused {result['clean_tables_refused']}; columns named: {result['clean_columns_named']} of"
        f" {result['columns']:,}"
    )
    lines += [f"  {each['table']}: {each['column']}: {each['kind']}: {each['evidence']}" for each in result["clean"]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

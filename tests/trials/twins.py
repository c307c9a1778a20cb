"""Twins: the same degradation on another machine, at another time, under other orders and in other noise."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import numpy as np

from features.extract import extract
from features.table import FeatureTable
from ingest.history import History
from ingest.simulation.degradation import Degradation
from ingest.simulation.happening import happened
from ingest.simulation.machine import MachineHistory, machine_days, readings
from ingest.simulation.production import production_table
from ingest.simulation.scenario import Scenario, SimulatedMachine
from ingest.simulation.truth import truth_table
from models.anomaly.normal import Normal
from models.anomaly.usual import BesidePeers, Usual, without_peers
from models.bundle import Bundle
from models.why.similar import Episodes
from tests.trials.made_plant import history_of

HEALTHY = timedelta(days=45)
"""How long a twin runs before its degradation begins: longer than the longest window."""

_NEVER = timedelta(days=9000)
_WORDS = ("machine", "kind", "component", "code", "note")
_ARRAYS = ("begin", "end", "time", "shape")


def twin_of(scenario: Scenario, machine: SimulatedMachine, degradation: Degradation, number: int) -> MachineHistory:
    """Live through a degradation again on a machine that was never seen, from the start of the scenario to its end."""
    running = scenario.pattern(machine.kind).hours_per_year / (365.25 * 24)
    fate = replace(degradation.fate, onset=HEALTHY.total_seconds() * running)
    days = int((HEALTHY.total_seconds() + fate.interval / running) / 86400) + 10
    alone = replace(
        scenario,
        failures_per_machine_year=0.0,
        sensor_faults_per_machine_year=0.0,
        maintenance_every=_NEVER,
        days=days,
    )
    own = replace(machine, name=f"twin-{number:03}")
    lived = list(takewhile(lambda day: day.end <= alone.end, machine_days(alone, own, {degradation.component: fate})))
    return MachineHistory(
        own,
        readings(lived),
        happened(own.name, (each for day in lived for each in day.happenings), alone.end),
        production_table(own.name, []),
        truth_table(replace(alone, days=1), own),
    )


def remembered(bundle: Bundle, plant: History, twin: MachineHistory, begin: datetime) -> Episodes:
    """Return what a bundle would remember of a twin, had it been in the plant: its own normal, and its failure."""
    history, name = history_of([twin]), twin.machine.name
    failures = twin.events[twin.events["kind"] == "failure"]
    end = failures["time"].iloc[0].to_pydatetime()
    peers = extract(bundle.recipe, plant, bundle.peers_of([name]), begin, end)
    table = bundle.seen(replace(extract(bundle.recipe, history, [name], begin, end), beside=peers))
    known = replace(bundle, normal=_with(bundle.normal, table, begin + HEALTHY))
    entry, events = bundle.entry, failures.reset_index(drop=True)
    if bundle.episodes is None:
        raise TypeError("a twin is remembered as other episodes are, and there are none")
    return Episodes.learn(table, events, "failure", entry.horizon, bundle.episodes.shapes, known.normal)


def joined(parts: Sequence[Episodes]) -> Episodes:
    """Put episodes together whose shapes are drawn alike."""
    whole = parts[0]
    for part in parts[1:]:
        words = {name: getattr(whole, name) + getattr(part, name) for name in _WORDS}
        arrays = {name: np.concatenate([getattr(whole, name), getattr(part, name)]) for name in _ARRAYS}
        whole = Episodes(whole.shapes, **words, **arrays, first=np.r_[whole.first, whole.first[-1] + part.first[1:]])
    return whole


def without_mode(episodes: Episodes, component: str, code: str) -> Episodes:
    """Leave out the episodes of one mode."""
    kept = [at for at in range(len(episodes)) if (episodes.component[at], episodes.code[at]) != (component, code)]
    spans = [np.arange(episodes.first[at], episodes.first[at + 1]) for at in kept]
    shapes = np.concatenate([np.empty(0, np.int64), *spans]).astype(np.int64)
    words = {name: tuple(getattr(episodes, name)[at] for at in kept) for name in _WORDS}
    return Episodes(
        episodes.shapes,
        **words,
        begin=episodes.begin[kept],
        end=episodes.end[kept],
        first=np.cumsum([0, *map(len, spans)]).astype(np.int64),
        time=episodes.time[shapes],
        shape=episodes.shape[shapes],
    )


def _with(normal: Usual, table: FeatureTable, until: datetime) -> Usual:
    """Return normal values to which one machine is added, by what it showed while it was healthy."""
    if isinstance(normal, BesidePeers):
        return replace(normal, normal=_with(normal.normal, without_peers(normal, table), until))
    if not isinstance(normal, Normal):
        raise TypeError("twins are for plants without regimes of their own")
    healthy = table.values[table.time <= np.datetime64(until.astimezone(UTC).replace(tzinfo=None), "us")]
    known = np.isfinite(healthy).any(axis=0)
    own = normal.centre.copy()
    own[known] = np.nanmedian(healthy[:, known], axis=0)
    name = str(table.machine[0])
    return replace(normal, machines=(*normal.machines, name), own=np.vstack([normal.own, own]))

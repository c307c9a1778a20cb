"""Replay a plant's past round by round through the very path of live operation, and compare with its backtest.

Run ``python -m tests.trials.replayed`` for the sample plant, ``--plant FILE`` for another one (its readings must lie
in its data folder or files), ``--every HOURS`` for rounds as far apart, ``--json`` for the figures alone.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ingest.database import Database
from ingest.plant import ModelEntry, Plant
from ingest.plant_file import load_plant
from ingest.sources.files import ingest_files
from ingest.store import Store
from models.judging.backtest import backtest, fitted_at
from models.judging.past import Past
from models.moment import as_datetime
from models.registry.registry import Registry
from service import monitor
from service.alerts import book
from service.alerts.alert import AlertState
from service.database import open_state

SAMPLE = Path(__file__).parents[2] / "sample_data" / "plant.toml"

Shown = tuple[str, str]
"""Machine, and when its alert was first shown."""


@dataclass(frozen=True)
class Compared:
    """What live operation showed and what the backtest says it would have shown.

    Attributes
    ----------
    live, replayed : (machine, moment) of each alert, sorted
    """

    model: str
    rounds: int
    live: list[Shown]
    replayed: list[Shown]
    live_seconds: float
    replay_seconds: float

    @property
    def equal(self) -> bool:
        """Whether they are the same."""
        return self.live == self.replayed


def compare(
    plant: Plant, store: Store, entry: ModelEntry, folder: Path, every: timedelta, start: datetime | None = None
) -> Compared:
    """Run rounds over the judged span of a model, and its backtest with rounds at the same moments.

    A person sees each alert at once and says so: one that nobody touches would take up the next one of
    its machine and cause.
    """
    spans = store.spans(entry.machine_class)
    end = max(newest for _, newest in spans.values())
    start = Past.of(plant, store, entry.model_copy(update={"split": "time"}), start, None).start
    moments = list(_moments(start, end, every))
    registry = Registry(folder / "models")
    version = registry.save(fitted_at(plant, store, entry, start), created=end).version
    registry.promote(entry.name, version, at=start, by="trial", why="it would have been live")
    began = time.perf_counter()
    with closing(open_state(folder / "state.db")) as state:
        live = _lived(plant, store, registry, state, entry, start, moments)
    lasted = time.perf_counter() - began
    report = backtest(plant, store, entry, start=start, rounds=moments)
    replayed = sorted((alert.machine, _text(as_datetime(alert.begin))) for alert in report.verdict.alerts)
    return Compared(entry.name, len(moments), live, replayed, lasted, report.seconds)


def _lived(
    plant: Plant,
    store: Store,
    registry: Registry,
    state: Database,
    entry: ModelEntry,
    since: datetime,
    moments: Sequence[datetime],
) -> list[Shown]:
    for at in moments:
        report = monitor.round(plant, store, registry, state, at=at, since=since, only=[entry.name])
        if report.errors:
            raise RuntimeError(f"a round went wrong: {'; '.join(report.errors)}")
        with state.write() as connection:
            for alert in book.list_alerts(connection, states=(AlertState.UNACKNOWLEDGED, AlertState.RETURNED)):
                book.acknowledge(connection, alert.number, by="trial", at=at)
    with state.read() as connection:
        alerts = book.list_alerts(connection, states=tuple(AlertState))
    return sorted((each.machine, _text(each.raised_at)) for each in alerts if each.model == entry.name)


def _moments(start: datetime, end: datetime, every: timedelta) -> Iterable[datetime]:
    at = start
    while at < end:
        at = min(at + every, end)
        yield at


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def main() -> None:
    """Print one line for each model of the plant that is judged by time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plant", type=Path, default=SAMPLE)
    parser.add_argument("--every", type=float, default=24.0, metavar="HOURS")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plant = load_plant(asked.plant)
        with closing(Store(folder / "readings")) as store:
            ingest_files(plant, store, now=datetime.fromisoformat("2100-01-01T00:00:00+00:00"))
            for number, entry in enumerate(plant.models):
                own = folder / str(number)
                own.mkdir()
                one = compare(plant, store, entry, own, timedelta(hours=asked.every))
                found.append(one)
                if not asked.json:
                    sys.stdout.write(_line(one))
    if asked.json:
        sys.stdout.write(json.dumps([{**asdict(each), "equal": each.equal} for each in found], indent=2) + "\n")
    if not all(each.equal for each in found):
        sys.exit(1)


def _line(one: Compared) -> str:
    differ = "equal" if one.equal else f"DIFFER: {sorted(set(one.live) ^ set(one.replayed))}"
    return (
        f"{one.model}: {one.rounds} rounds, {len(one.live)} alerts live, {len(one.replayed)} in the backtest, {differ};"
        f" live {one.live_seconds:.1f} s, backtest {one.replay_seconds:.1f} s\n"
    )


if __name__ == "__main__":
    main()

"""Write a simulated plant to a folder: readings, events, production, plant file, and the truth beside."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from ingest.event import EVENT_COLUMNS
from ingest.simulation.happening import happened
from ingest.simulation.machine import MachineDay, readings, scenario_days
from ingest.simulation.plant_text import file_sources, plant_text
from ingest.simulation.production import PRODUCTION_COLUMNS, production_table
from ingest.simulation.scenario import Scenario, SimulatedMachine
from ingest.simulation.truth import TRUTH_COLUMNS, truth_table

Format = Literal["parquet", "csv"]

_DAYS_AT_ONCE = 30
_FAILURES_TO_LEARN, _MACHINES_TO_LEARN, _LEARNING_SHARE = 10, 5, 0.6
_TIMES = {"time", "end", "begin", "began", "ended", "fails"}


@dataclass(slots=True)
class SimulationReport:
    """What was written.

    Attributes
    ----------
    failures : of all machines before the end; ``sudden`` of them came without any sign
    prevented : degradations that planned maintenance ended in time
    open : degradations under way at the end
    """

    folder: str
    machines: int = 0
    readings: int = 0
    events: int = 0
    failures: int = 0
    sudden: int = 0
    prevented: int = 0
    open: int = 0
    sensor_faults: int = 0
    bytes: int = 0
    classes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON can hold it."""
        return asdict(self)


def write_simulation(
    scenario: Scenario,
    folder: Path,
    format: Format = "parquet",  # noqa: A002 - the word that the plant file uses
    progress: Callable[[str, int, int], None] | None = None,
) -> SimulationReport:
    """Make a plant up and write it to a folder; files of the same names are replaced.

    One month of one machine is in memory at a time. The folder then holds ``plant.toml``,
    ``readings/CLASS/MACHINE.parquet`` (or ``.csv``), ``events.csv``, ``production.csv`` where
    pieces are made and no floor tells of them, ``scenario.json`` with which the same files can be made again, and
    ``truth.csv``, which the plant file does not name.

    Parameters
    ----------
    progress : called with a machine's name, how many machines are done, and how many there are
    """
    report = SimulationReport(str(folder), classes=list(scenario.machines_per_kind))
    folder.mkdir(parents=True, exist_ok=True)
    truths = []
    makes_pieces = not scenario.floor and any(
        product.cycle_seconds for each in scenario.plant() for product in each.kind.products
    )
    with ExitStack() as stack:
        events = stack.enter_context(_Table(folder / "events.csv", EVENT_COLUMNS))
        names = PRODUCTION_COLUMNS if makes_pieces else ()
        production = stack.enter_context(_Table(folder / "production.csv", names)) if names else None
        for machine in scenario.plant():
            for month in _write_readings(scenario, machine, folder, format, report):
                happenings = (each for day in month for each in day.happenings)
                report.events += events.add(happened(machine.name, happenings, scenario.end))
                if production is not None:
                    production.add(production_table(machine.name, [each for day in month for each in day.produced]))
            truths.append(truth_table(scenario, machine))
            report.machines += 1
            if progress is not None:
                progress(machine.name, report.machines, len(scenario.plant()))
    truth = pd.concat(truths, ignore_index=True)
    with _Table(folder / "truth.csv", TRUTH_COLUMNS) as table:
        table.add(truth)
    _count(truth, scenario, report)
    foreseeable = {name: _enough(truth[truth["machine_class"] == name], scenario) for name in report.classes}
    sources = file_sources(scenario, format, production=makes_pieces)
    text = plant_text(scenario, sources, foreseeable, files=True)
    (folder / "plant.toml").write_text(text, encoding="utf-8")
    (folder / "scenario.json").write_text(json.dumps(scenario.to_dict(), indent=2) + "\n", encoding="utf-8")
    report.bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return report


class _Table:
    """A CSV file that grows, with times as ISO 8601 in UTC."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._columns = list(columns)
        self._file.write(",".join(columns) + "\n")

    def __enter__(self) -> "_Table":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, table: pd.DataFrame) -> int:
        """Append rows; return how many."""
        plain = table[self._columns].copy()
        for column in _TIMES.intersection(plain.columns):
            plain[column] = plain[column].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        plain.to_csv(self._file, index=False, header=False, lineterminator="\n")
        return len(plain)


def _write_readings(
    scenario: Scenario, machine: SimulatedMachine, folder: Path, suffix: Format, report: SimulationReport
) -> Iterator[tuple[MachineDay, ...]]:
    path = folder / "readings" / machine.kind.name / f"{machine.name}.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    writer: Any = None
    days = scenario_days(scenario, machine)
    while month := tuple(islice(days, _DAYS_AT_ONCE)):
        batch = readings(month)
        report.readings += batch.count
        table = batch.table.drop_columns(["arrived"])
        if suffix == "csv":
            table = table.set_column(1, "time", _iso(table["time"]))
        if writer is None:
            writer = _writer(path, table.schema)
        writer.write_table(table)
        yield month
    writer.close()


def _writer(path: Path, schema: pa.Schema) -> Any:
    if path.suffix == ".csv":
        return pa_csv.CSVWriter(path, schema, write_options=pa_csv.WriteOptions(quoting_style="none"))
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=12)


def _iso(times: pa.ChunkedArray) -> pa.Array:
    return pa.array(times.to_pandas().dt.strftime("%Y-%m-%dT%H:%M:%SZ"), pa.string())


def _count(truth: pd.DataFrame, scenario: Scenario, report: SimulationReport) -> None:
    past = truth["ended"] < pd.Timestamp(scenario.end, unit="s", tz="UTC")
    degrading = truth["kind"] == "degradation"
    failed = past & (truth["outcome"] == "failed")
    report.failures = int(failed.sum())
    report.sudden = int((failed & truth["sudden"]).sum())
    report.prevented = int((past & (truth["outcome"] == "prevented")).sum())
    report.open = int((degrading & ~past).sum())
    report.sensor_faults = int((~degrading).sum())


def _enough(truth: pd.DataFrame, scenario: Scenario) -> bool:
    """Whether the part that a backtest learns from has failures enough for a supervised model."""
    until = scenario.begin + _LEARNING_SHARE * (scenario.end - scenario.begin)
    failed = truth[(truth["outcome"] == "failed") & (truth["ended"] <= pd.Timestamp(until, unit="s", tz="UTC"))]
    return len(failed) >= _FAILURES_TO_LEARN and failed["machine"].nunique() >= _MACHINES_TO_LEARN

"""Failures foreseen: a failure risk that learns from the first part of a history and is judged on the rest.

Split by time, with a gap of one horizon: the model is the one that would have been trained then, and every choice –
features, trees, calibration, threshold, from the costs of the plant file – is made on the first part alone. Judged
by events at the alert level: a failure is found by an alert that begins within the horizon and with at least the
needed lead before it; everything else that is not too late is a false alarm.
"""

import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from ingest.duration import format_duration
from ingest.plant import ModelEntry
from ingest.plant_file import load_plant
from ingest.sources.files import ingest_files
from ingest.store import Store
from models.judging.backtest import backtest, split_of
from models.judging.backtest_report import BacktestReport
from models.judging.interval import Interval
from tests.benchmarks.public.row import Row

NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""When files are said to be read; nothing depends on it."""


def rows(plant: Path) -> list[Row]:
    """Return the figures of every failure risk of a plant file that is split by time."""
    loaded = load_plant(plant)
    with tempfile.TemporaryDirectory() as folder, closing(Store(Path(folder))) as store:
        ingest_files(loaded, store, now=NOW)
        return [
            row
            for entry in loaded.models
            if entry.task == "failure_risk" and split_of(loaded, entry) == "time"
            for row in figures(plant.stem, entry, backtest(loaded, store, entry))
        ]


def figures(data: str, entry: ModelEntry, report: BacktestReport) -> list[Row]:
    """Return what a backtest found, one figure a row."""
    verdict = report.verdict
    lead = format_duration(entry.needed_lead)
    protocol = (
        f"{entry.name}: horizon {format_duration(entry.horizon)}, learnt before {str(report.start)[:10]}, judged on"
        f" {verdict.machine_weeks:.0f} machine-weeks after"
    )
    told = [
        Row(data, protocol, figure, *_known(interval))
        for figure, interval in (
            (f"failures found with {lead} lead, share", verdict.recall),
            (f"false alarms per machine-week ({lead} lead)", verdict.false_alarms_per_machine_week),
            (f"alerts that were right, share ({lead} lead)", verdict.precision),
        )
    ]
    median, tenth = verdict.lead_hours
    for name, value in (("median", median), ("nine in ten longer than", tenth)):
        if value is not None:
            told.append(Row(data, protocol, f"lead h, {name} ({lead} lead)", value))
    for each in report.reliability:
        for figure, value in (("PR-AUC", each.average_precision), ("reliability error", each.error)):
            if value is not None:
                told.append(Row(data, protocol, f"{figure} within {each.horizon} ({lead} lead)", value))
    return told


def _known(interval: Interval) -> tuple[float, float, float]:
    return (float("nan") if interval.value is None else interval.value, interval.low, interval.high)

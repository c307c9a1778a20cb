"""Files and folders, as the plant file declares them, into the store; the same file twice changes nothing."""

import glob
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from time import perf_counter

import pandas as pd

from ingest.catalogue import to_microseconds
from ingest.decode.ahead import PLANNED, latest_believed, why_ahead
from ingest.decode.mapping import resolve
from ingest.decode.rows import Decoded, RowDecoder, failures
from ingest.errors import SourceError, UnreadFilesError
from ingest.event import Event, events_table
from ingest.lake import SealReport
from ingest.plant import Plant, Source
from ingest.report import SHOWN, FileReport, IngestReport, Rejection
from ingest.sources.arrow_file import ArrowFile, ParquetFile, digest
from ingest.sources.chunk import Chunk, File
from ingest.sources.csv_file import CsvFile
from ingest.store import Store
from ingest.stored_unit import hold_units

Progress = Callable[[str, int, int], None]

CELLS_IN_THE_LOG = 12_000_000
_FORMATS = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}


def ingest_files(plant: Plant, store: Store, *, now: datetime, progress: Progress | None = None) -> IngestReport:
    """Bring everything that the plant's sources hold into the store.

    It may be stopped at any moment and run again: what is there already is passed over. A file that
    cannot be read does not keep the others out.

    Parameters
    ----------
    now : time of arrival
    progress : called as (path, done, size) after each part of a file; ``size`` may be 0 if it is not known

    Raises
    ------
    UnreadFilesError
        After everything else is in: one line for each file or source that could not be read, and what the rest gave.
    PlantFileError
        When the history of a signal is in another unit than the plant file declares.
    StoreError
        When the store cannot take it.
    """
    begun = perf_counter()
    hold_units(plant, store.units, now)
    reports: list[FileReport] = []
    problems: list[str] = []
    run = _Run(plant, store, now, progress or (lambda *_: None))
    for source in plant.sources:
        try:
            reports += run.source(source, problems)
        except SourceError as error:
            problems.append(str(error))
    if plant.events:
        reports.append(_add_known_events(plant, store, now))
    run.seal()
    files = tuple(run.judged(each) for each in reports)
    report = IngestReport(files, perf_counter() - begun)
    if problems:
        raise UnreadFilesError("\n".join(problems), report)
    return report


def files_of(source: Source, folder: Path) -> list[Path]:
    """Return the files of a source, sorted; raises ``SourceError`` if there is none."""
    path = folder / source.path
    if path.is_dir():
        found = [each for each in path.rglob("*") if each.is_file() and _format(each) is not None]
    elif path.is_file():
        return [path]
    else:
        found = [Path(each) for each in glob.glob(str(path), recursive=True) if Path(each).is_file()]  # noqa: PTH207
    if not found and path.is_dir():
        raise SourceError(
            f"{path}: a folder without any CSV, Parquet or Arrow file (source {source.name!r}); name another path"
        )
    if not found:
        raise SourceError(f"{path}: no such file (source {source.name!r}); the path is relative to the plant file")
    return sorted(found)


def open_file(path: Path, source: Source) -> File:
    """Open a file in the source's format, or in that of its ending; raises ``SourceError``."""
    kind = source.format or _format(path)
    if kind == "parquet":
        return ParquetFile(path)
    if kind == "arrow":
        return ArrowFile(path)
    if kind == "csv":
        return CsvFile(path, source.delimiter)
    raise SourceError(f"{path}: the ending does not tell the format; write format = 'csv', 'parquet' or 'arrow'")


class _Run:
    """One run over all sources."""

    def __init__(self, plant: Plant, store: Store, now: datetime, progress: Progress) -> None:
        self._plant = plant
        self._store = store
        self._now = now
        self._progress = progress
        self._sealed: dict[tuple[str, str], tuple[int, int]] = {}
        self._positions: dict[tuple[str, str], list[str]] = {}
        self._done: dict[tuple[str, str], tuple[str, dict[str, int]]] = {}

    def source(self, source: Source, problems: list[str]) -> list[FileReport]:
        """Read all files of a source; what cannot be read is added to ``problems``."""
        reports: list[FileReport] = []
        newest: dict[str, int] = {}
        broken = len(problems)
        for path in files_of(source, self._plant.folder):
            try:
                report, last = self._file(source, path)
            except SourceError as error:
                problems.append(str(error))
                continue
            reports.append(report)
            for machine, time in last.items():
                newest[machine] = max(time, newest.get(machine, time))
        if source.run_to_failure and len(problems) == broken and reports:
            added, repeated = self._store.add_events(failures(newest), source=source.name)
            last_report = reports[-1]
            reports[-1] = replace(
                last_report,
                events_added=last_report.events_added + added,
                events_repeated=last_report.events_repeated + repeated,
            )
        return reports

    def seal(self) -> None:
        """Seal, and remember what was repeated and corrected."""
        self._take(self._store.seal())

    def judged(self, report: FileReport) -> FileReport:
        """Return a file's report with what sealing found repeated and corrected, and remember it."""
        key = report.source, report.path
        found = [self._sealed.get((report.source, each), (0, 0)) for each in self._positions.get(key, [])]
        repeated, corrected = sum(each[0] for each in found), sum(each[1] for each in found)
        judged = replace(
            report,
            accepted=report.accepted - repeated,
            repeated=report.repeated + repeated,
            corrected=report.corrected + corrected,
        )
        if key in self._done:
            position, newest = self._done[key]
            note = json.dumps({"report": judged.to_dict(), "newest": newest})
            self._store.set_note(report.source, position, note)
        return judged

    def _file(self, source: Source, path: Path) -> tuple[FileReport, dict[str, int]]:
        shown = _shown(path, self._plant.folder)
        mapping_key = _mapping_key(source, self._plant)
        content = digest(path)
        whole = f"file.{content}.{mapping_key}"
        note = self._store.note(source.name, whole)
        if note is not None:
            return _again(note, shown)
        file = open_file(path, source)
        mapping = resolve(source, self._plant, file.columns, shown)
        # What the file says came when it was first read, however often the plant file gives it another meaning.
        came = self._store.note(source.name, f"content.{content}")
        again = came is not None
        if came is None:
            self._store.set_note(source.name, f"content.{content}", self._now.isoformat())
        decoder = RowDecoder(
            self._plant,
            mapping,
            now=self._now if came is None else datetime.fromisoformat(came),
            newest_reading=self._newest_readings() if source.cycle_after_newest else None,
        )
        self._store.forget_rejections(source=source.name, position=shown)
        report = FileReport(source=source.name, path=shown)
        positions: list[str] = []
        self._positions[source.name, shown] = positions
        for chunk in file.chunks(mapping.columns):
            decoded = decoder.decode(chunk.table, chunk.line_of)
            report = self._keep(report, chunk, decoded, f"{mapping_key}.{chunk.key}", positions, again=again)
            self._progress(shown, chunk.done, file.size)
        report = self._add_events(report, decoder.finish())
        self._done[source.name, shown] = whole, decoder.newest
        return report, decoder.newest

    def _newest_readings(self) -> dict[str, int]:
        spans = [self._store.spans(each.name) for each in self._plant.classes]
        return {machine: to_microseconds(newest) for each in spans for machine, (_, newest) in each.items()}

    def _keep(
        self,
        report: FileReport,
        chunk: Chunk,
        decoded: Decoded,
        position: str,
        positions: list[str],
        *,
        again: bool,
    ) -> FileReport:
        """Put what a chunk gave into the store and into the report."""
        new = repeated = readings = 0
        for number, each in enumerate(decoded.readings):
            part = f"{position}.{number}"
            readings += each.count
            if self._store.append(each, source=report.source, position=part, again=again):
                new += each.table.num_rows
                positions.append(part)
            else:
                repeated += each.table.num_rows
        rejections = (*chunk.broken, *decoded.rejections)
        self._store.reject(rejections, source=report.source, position=report.path, counts=decoded.turned_away)
        report = replace(
            self._add_events(report, decoded.events),
            rows=report.rows + decoded.rows + len(chunk.broken),
            accepted=report.accepted + new,
            repeated=report.repeated + repeated,
            rejected=report.rejected + decoded.rejected + len(chunk.broken),
            missing=report.missing + decoded.missing,
            ignored=report.ignored + decoded.ignored,
            readings=report.readings + readings,
            rejections=(*report.rejections, *rejections)[:SHOWN],
        )
        if self._store.waiting() > CELLS_IN_THE_LOG:
            self.seal()
        return report

    def _add_events(self, report: FileReport, events: pd.DataFrame) -> FileReport:
        if events.empty:
            return report
        added, repeated = self._store.add_events(events, source=report.source)
        return replace(
            report, events_added=report.events_added + added, events_repeated=report.events_repeated + repeated
        )

    def _take(self, sealed: SealReport) -> None:
        for key, (repeated, corrected) in sealed.by_position.items():
            before = self._sealed.get(key, (0, 0))
            self._sealed[key] = before[0] + repeated, before[1] + corrected


def _again(note: str, shown: str) -> tuple[FileReport, dict[str, int]]:
    """Return the report of a file that was read wholly before: all that it gave is repeated."""
    known = json.loads(note)
    before = FileReport.from_dict(known["report"])
    report = replace(
        before,
        path=shown,
        accepted=0,
        repeated=before.accepted + before.repeated,
        corrected=0,
        events_added=0,
        events_repeated=before.events_added + before.events_repeated,
    )
    return report, known["newest"]


def _mapping_key(source: Source, plant: Plant) -> str:
    """Return a digest of everything that decides how the rows of a source are understood."""
    # Left out where they say nothing, so that files which were read before these keys are not read again.
    silent = {name for name in ("machine_prefix", "cycle_after_newest") if not getattr(source, name)}
    meant = {
        "source": source.model_dump(mode="json", exclude={"path", *silent}),
        "zone": source.time_zone or plant.time_zone,
        "classes": [each.model_dump(mode="json") for each in plant.classes],
        "machines": [(each.name, each.machine_class) for each in plant.machines],
    }
    return sha256(json.dumps(meant, sort_keys=True).encode()).hexdigest()[:16]


def _add_known_events(plant: Plant, store: Store, now: datetime) -> FileReport:
    """Keep the events that the plant file tells of; times without a zone are the plant's."""

    def placed(time: datetime) -> datetime:
        return time if time.tzinfo else time.replace(tzinfo=plant.zone)

    events: list[Event] = []
    rejections: list[Rejection] = []
    for number, each in enumerate(plant.events, 1):
        time = placed(each.time)
        if each.kind not in PLANNED and time > latest_believed(now):
            rejections.append(Rejection(number, "events.time", f"{time}", why_ahead(now)))
            continue
        end = None if each.end is None else placed(each.end)
        events.append(
            Event(
                machine=each.machine,
                kind=each.kind,
                time=time,
                end=end,
                component=each.component,
                code=each.code,
                note=each.note,
            )
        )
    added, repeated = store.add_events(events_table(events), source="plant.toml")
    return FileReport(
        source="plant.toml",
        path="plant.toml",
        events_added=added,
        events_repeated=repeated,
        rejected=len(rejections),
        rejections=tuple(rejections[:SHOWN]),
    )


def _format(path: Path) -> str | None:
    suffixes = [each.lower() for each in path.suffixes]
    if suffixes and suffixes[-1] in (".gz", ".bz2", ".zst"):
        return "csv" if _FORMATS.get(suffixes[-2] if len(suffixes) > 1 else "") == "csv" else None
    return _FORMATS.get(suffixes[-1]) if suffixes else None


def _shown(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)

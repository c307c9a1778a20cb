"""Read the files that the plant file names into the store."""

from typing import TYPE_CHECKING

import click

from service.cli.call import current_call, progress, shared_options, wall_clock

if TYPE_CHECKING:
    from ingest.report import FileReport, IngestReport


@click.command()
@shared_options
def command() -> None:
    """Read the files that the plant file names: readings and events, checked, each once.

    A row that cannot be used is named and kept; it is a problem (exit code 1) only where a file
    holds more of them than good ones, so that one broken value does not stop what comes after in a script.
    So it is where all files of a source have rows and no value in any of them.
    """
    from ingest.errors import UnreadFilesError
    from ingest.sources.check import silent_signals
    from ingest.sources.files import ingest_files

    call = current_call()
    unread: UnreadFilesError | None = None
    with call.open() as room, progress(call.as_json) as advance:
        try:
            report = ingest_files(room.plant, room.store, now=wall_clock(), progress=advance)
        except UnreadFilesError as error:
            report, unread = error.report, error
        silent = silent_signals(room.plant, room.store)
    ignored, empty = _ignored_sources(report), _empty_sources(report)
    call.show({**report.to_dict(), "silent_signals": silent}, lambda: _tell(report, [*ignored, *empty, *silent]))
    if unread is not None:
        raise unread
    if ignored or empty or any(file.rejected > _used(file) for file in report.files):
        click.get_current_context().exit(1)


def _used(file: "FileReport") -> int:
    return file.accepted + file.repeated + file.events_added + file.events_repeated


def _ignored_sources(report: "IngestReport") -> list[str]:
    """Return one line for each source of which every row was ignored."""
    return [
        f"source {source!r}: all {rows:,} rows are of machines that the plant file does not name and are ignored;"
        " add the machines, or take other_machines = 'ignore' out to see their names"
        for source, files in _by_source(report).items()
        if (rows := sum(file.rows for file in files)) and rows == sum(file.ignored for file in files)
    ]


def _empty_sources(report: "IngestReport") -> list[str]:
    """Return one line for each source of which no row holds a value."""
    return [
        f"source {source!r}: no value in any of its {rows:,} rows, all {missing:,} cells of its signals are empty;"
        " name the columns that hold them in its signals, or take it out"
        for source, files in _by_source(report).items()
        if (rows := sum(file.rows for file in files))
        and (missing := sum(file.missing for file in files))
        and not any(_used(file) or file.rejected or file.ignored for file in files)
    ]


def _by_source(report: "IngestReport") -> dict[str, list["FileReport"]]:
    found: dict[str, list[FileReport]] = {}
    for file in report.files:
        found.setdefault(file.source, []).append(file)
    return found


def _tell(report: "IngestReport", remarks: list[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("source", box=None, padding=(0, 2, 0, 0))
    table.add_column("file", overflow="fold")
    shown = {"rows": "rows", "accepted": "accepted", "repeated": "repeated", "rejected": "rejected"}
    if any(file.ignored for file in report.files):
        shown["ignored"] = "ignored"
    shown["events"] = "events_added"
    for column in shown:
        table.add_column(column, justify="right")
    for file in report.files:
        table.add_row(file.source, file.path, *(f"{getattr(file, name):,}" for name in shown.values()))
    Console().print(table)
    for file in report.files:
        _tell_rejections(file)
    for remark in remarks:
        click.echo(remark, err=True)
    click.echo(f"{sum(file.accepted for file in report.files):,} new rows in {report.seconds:.1f} s.")


def _tell_rejections(file: "FileReport") -> None:
    for rejection in file.rejections[:5]:
        where = f"line {rejection.line}" + (f", {rejection.column}" if rejection.column else "")
        known = not rejection.value or rejection.value in rejection.reason
        found = "" if known else f" {rejection.value!r}"
        click.echo(f"{file.path}: {where}:{found} {rejection.reason}", err=True)
    if file.rejected > 5:
        click.echo(f"{file.path}: {file.rejected:,} rejected in all; --json lists the first 20 of each file.", err=True)

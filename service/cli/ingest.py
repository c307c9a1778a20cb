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
    holds nothing else, so that one broken value does not stop what comes after in a script.
    """
    from ingest.sources.files import ingest_files

    call = current_call()
    with call.open() as room, progress(call.as_json) as advance:
        report = ingest_files(room.plant, room.store, now=wall_clock(), progress=advance)
    call.show(report.to_dict(), lambda: _tell(report))
    if any(_useless(file) for file in report.files):
        click.get_current_context().exit(1)


def _useless(file: "FileReport") -> bool:
    used = file.accepted + file.repeated + file.events_added + file.events_repeated
    return file.rejected > 0 and not used


def _tell(report: "IngestReport") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("source", box=None, padding=(0, 2, 0, 0))
    table.add_column("file", overflow="fold")
    for column in ("rows", "accepted", "repeated", "rejected", "events"):
        table.add_column(column, justify="right")
    for file in report.files:
        counts = (file.rows, file.accepted, file.repeated, file.rejected, file.events_added)
        table.add_row(file.source, file.path, *(f"{count:,}" for count in counts))
    Console().print(table)
    for file in report.files:
        _tell_rejections(file)
    click.echo(f"{sum(file.accepted for file in report.files):,} new rows in {report.seconds:.1f} s.")


def _tell_rejections(file: "FileReport") -> None:
    for rejection in file.rejections[:5]:
        where = f"line {rejection.line}" + (f", {rejection.column}" if rejection.column else "")
        known = not rejection.value or rejection.value in rejection.reason
        found = "" if known else f" {rejection.value!r}"
        click.echo(f"{file.path}: {where}:{found} {rejection.reason}", err=True)
    if file.rejected > 5:
        click.echo(f"{file.path}: {file.rejected:,} rejected in all; kept with their reasons.", err=True)

"""Listen at the edge and hand on to a central Andon, through a spool on disk."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ingest.errors import PlantFileError, SettingError
from service.cli.call import current_call, shared_options, wall_clock
from service.cli.stopped import stopped_by_signals

if TYPE_CHECKING:
    from ingest.plant import Plant
    from service.edge.status import Status
    from service.settings import Settings


@click.command()
@click.argument("plant_file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--to", help="Address of the centre, such as https://andon.example:8420.")
@click.option("--ca-file", type=click.Path(path_type=Path, dir_okay=False), help="Authorities to trust.")
@click.option("--status", is_flag=True, help="Say how much waits, since when, and what is wrong; 1 if anything is.")
@shared_options
def command(plant_file: Path | None, to: str | None, ca_file: Path | None, status: bool) -> None:
    """Listen to the streams of PLANT_FILE and send what comes to a central Andon, until Ctrl-C.

    What was acknowledged is on disk here until the centre has it on disk, however long it is away.
    """
    from ingest.plant_file import load_plant

    call = current_call()
    call.plant = plant_file or call.plant
    settings = call.settings(forward_to=to, forward_ca_file=ca_file)
    plant = load_plant(settings.plant)
    folder = settings.spool or plant.data_folder / "spool"
    if status:
        _show_status(folder)
    else:
        forward(settings, plant, folder)


def forward(settings: "Settings", plant: "Plant", folder: Path) -> None:
    """Forward until interrupted.

    Raises
    ------
    AndonError
        If the plant names no stream, no centre is named or the spool cannot be used.
    """
    from ingest.spool import Spool
    from service.edge.aside import Aside
    from service.edge.centre import Centre
    from service.edge.forwarder import Forwarder
    from service.edge.status import Teller
    from service.streams import Streams, streams_of
    from service.structured_logs import configure_logs

    streams = streams_of(plant, wall_clock)
    if not streams:
        raise PlantFileError([f"{settings.plant}: names no stream that could be forwarded, such as [[mqtt]]"])
    if not settings.forward_to:
        raise SettingError("no centre is named; write --to https://andon.example:8420, or set ANDON_FORWARD_TO")
    centre = Centre(settings.forward_to, ca_file=settings.forward_ca_file, token=settings.forward_token)
    configure_logs("console" if sys.stderr.isatty() else "json")
    most_bytes = settings.spool_megabytes * 1_000_000
    stop = stopped_by_signals()
    with Spool(folder, most_bytes=most_bytes, when_full=settings.spool_when_full) as spool:
        forwarder = Forwarder(spool, centre, Aside(folder / "aside"), clock=wall_clock)
        running = Streams(streams, spool)
        teller = Teller(
            spool,
            lambda: forwarder.progress,
            running.states,
            to=centre.address,
            most_bytes=most_bytes,
            clock=wall_clock,
        )
        click.echo(f"Forwarding {len(streams)} streams to {centre.address} through {folder}  (Ctrl-C ends)")
        teller.start()
        running.start()
        try:
            forwarder.run(stop)
        finally:
            running.stop()
            teller.stop()


def _show_status(folder: Path) -> None:
    from dataclasses import asdict

    from service.edge.status import read_status

    status = read_status(folder)
    current_call().show({**asdict(status), "well": status.well}, lambda: _tell(status))
    if not status.well:
        click.get_current_context().exit(1)


def _tell(status: "Status") -> None:
    if not status.running:
        click.echo(
            "andon forward does not run here." + (f" It last ran {_at(status.written)}." if status.written else "")
        )
    since = f", since {_at(status.waiting_since)}" if status.waiting and status.waiting_since else ""
    click.echo(f"Waiting: {status.waiting:,} records{since}; {status.bytes / 1e6:,.1f} MB on disk")
    click.echo(
        f"Sent to {status.to or 'nobody'}: {status.accepted:,},"
        f" turned away there: {status.rejected:,}; last sent: {_at(status.sent)}"
    )
    if status.problem:
        click.echo(f"Problem since {_at(status.problem_since)}: {status.problem}")
    if status.unmarked:
        click.echo(f"After a crash some may be sent again: {status.unmarked}")
    for name, why in status.streams.items():
        click.echo(f"Stream {name}: {why or 'listening'}")
    for count, what in (
        (status.dropped, "dropped to make room"),
        (status.altered, "lost because the disk altered them"),
        (status.aside, "put aside in the folder 'aside'"),
    ):
        if count:
            click.echo(f"{count:,} records {what}")


def _at(moment: datetime | None) -> str:
    return moment.astimezone().isoformat(sep=" ", timespec="seconds") if moment else "never"

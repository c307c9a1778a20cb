"""Make a span of the history anew as a store of its own, byte for byte the same each time."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.cli.call import MOMENT, current_call, in_zone, shared_options

if TYPE_CHECKING:
    from ingest.rebuild import Rebuilt


@click.command()
@click.option("--into", required=True, type=click.Path(path_type=Path), help="A folder that is not there yet.")
@click.option("--from", "start", type=MOMENT, help="Only what is later than this.  [the beginning]")
@click.option("--to", "end", type=MOMENT, help="Only what is up to this.  [all]")
@shared_options
def command(into: Path, start: Any, end: Any) -> None:
    """Write readings and events of a span, in one order, into a data folder of their own, and print their hashes."""
    from dataclasses import asdict

    from ingest.rebuild import rebuild

    call = current_call()
    with call.open() as room:
        begin, upto = in_zone(start, room.plant.zone), in_zone(end, room.plant.zone)
        if begin is not None and upto is not None and begin >= upto:
            raise click.UsageError("--from must be earlier than --to")
        made = rebuild(room.store, room.plant, into, start=begin, end=upto)
    call.show(asdict(made), lambda: _tell(made, into))


def _tell(made: "Rebuilt", into: Path) -> None:
    for each in made.classes:
        click.echo(
            f"{each.machine_class}: {each.readings:,} readings of {each.machines:,} machines in {each.files:,} files,"
            f" {each.bytes / 1e6:.1f} MB; content hash {each.content_hash}"
        )
    click.echo(f"{made.events:,} events; hash {made.events_hash}")
    click.echo(f"Written to {into}; data = '{into}' in a copy of the plant file reads it.")

"""List values that a later arrival took the place of."""

from itertools import islice
from typing import Any

import click

from service.cli.call import MOMENT, current_call, in_zone, shared_options


@click.command()
@click.option("--machine", help="Of this machine only.")
@click.option("--from", "start", type=MOMENT, help="Only of readings later than this.")
@click.option("--to", "end", type=MOMENT, help="Only of readings up to this.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many at most.")
@shared_options
def command(machine: str | None, start: Any, end: Any, limit: int) -> None:
    """List readings whose value a later arrival took the place of, with the value before, in order of arrival."""
    from ingest.errors import UnknownNameError

    call = current_call()
    with call.open() as room:
        zone = room.plant.zone
        if machine is not None and machine not in {each.name for each in room.plant.machines}:
            raise UnknownNameError(f"no machine {machine!r} in the plant file")
        classes = [each.name for each in room.plant.classes] if machine is None else [room.plant.class_of(machine).name]
        asked: dict[str, Any] = {
            "machines": None if machine is None else [machine],
            "start": in_zone(start, zone),
            "end": in_zone(end, zone),
        }
        counts = room.store.corrections.counts()
        found = [row for _, row in islice(room.store.corrections.rows(classes, **asked), limit)]

    def tell() -> None:
        for each in found:
            click.echo(
                f"{each['time']:%Y-%m-%d %H:%M:%S}  {each['machine']}  {each['signal']}: {each['earlier']:g} until"
                f" {each['arrived']:%Y-%m-%d %H:%M:%S}, then {each['value']:g}"
            )
        click.echo(f"{sum(counts.values()):,} values were ever corrected; {len(found):,} listed. Times are in UTC.")

    call.show({"corrections": found, "ever": counts}, tell)

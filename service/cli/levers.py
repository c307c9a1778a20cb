"""Show at which readings rejects are more frequent, and by how much."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from service.cli.call import MOMENT, current_call, in_zone, shared_options, wall_clock

if TYPE_CHECKING:
    from models.levers.find import Levers
    from service.control_room import ControlRoom


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--machine", help="Of what this machine made only.")
@click.option("--from", "start", type=MOMENT, help="Begin of the span.  [default: 180 days before its end]")
@click.option("--to", "stop", type=MOMENT, help="End of the span.  [default: now, or the newest reading]")
@shared_options
def command(names: tuple[str, ...], machine: str | None, start: datetime | None, stop: datetime | None) -> None:
    """Show at which readings rejects are more frequent, by how much, and how sure that is.

    NAME is a model of conditions, whose inspections say what is good, or a class of machines that count good and
    scrapped pieces; all of them when left out.
    """
    from models.levers.plant_levers import lever_names, plant_levers

    call = current_call()
    with call.open() as room:
        zone, currency = room.plant.zone, room.plant.currency
        asked = list(names) or lever_names(room.plant)
        if not asked:
            raise click.UsageError("the plant file has no model of conditions and no [[products]]; name a class")
        found = []
        for name in asked:
            end = min(in_zone(stop, zone) or _newest(room, name), wall_clock())
            begin = in_zone(start, zone) or end - _span()
            if begin >= end:
                raise click.UsageError(f"--from {begin.astimezone(zone):%Y-%m-%d %H:%M} is not before --to")
            found.append(plant_levers(room.plant, room.store, name, begin, end, machine))
    shown = {"currency": currency, "found": [each.to_dict(currency) for each in found]}
    call.show(shown, lambda: _tell_all(found, currency))


def _span() -> timedelta:
    from service.levers import DEFAULT_SPAN

    return DEFAULT_SPAN


def _newest(room: "ControlRoom", name: str) -> datetime:
    from service.levers import newest_reading

    return newest_reading(room.plant, room.store, name) or wall_clock()


def _tell_all(found: "Sequence[Levers]", currency: str) -> None:
    for each in found:
        _tell(each, currency)


def _tell(found: "Levers", currency: str) -> None:
    click.echo(f"{found.name}: {found.rejects:,.0f} rejects of {found.pieces:,.0f} pieces; {found.looked()}")
    if found.watermark:
        click.echo(f"  NOT TO BE RELIED ON: {found.watermark}")
    if found.reason:
        click.echo(f"  no lever: {found.reason}")
    for place, each in enumerate(found.levers, start=1):
        click.echo(f"{place:>3}. {each.sentence(currency)}")
        for limit in each.limits():
            click.echo(f"     {limit}")
        if each.with_it:
            click.echo(f"     tells the same: {', '.join(each.with_it)}")

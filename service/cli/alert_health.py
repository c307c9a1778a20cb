"""Say how the alarm system does: rate, floods, chattering, stale alerts, and what to tune."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from service.cli.call import MOMENT, current_call, in_zone, shared_options, wall_clock

if TYPE_CHECKING:
    from service.alerts.health import Health


@click.command()
@click.option("--from", "start", type=MOMENT, help="After this time.  [a week before the end]")
@click.option("--to", "end", type=MOMENT, help="Up to this time.  [now]")
@shared_options
def health(start: datetime | None, end: datetime | None) -> None:
    """Say whether people get more alerts than they can deal with, and which to tune or retire."""
    from ingest.errors import OutOfBoundsError
    from service.alerts.happened import health_of

    call = current_call()
    with call.open() as room, room.state.read() as connection:
        until = in_zone(end, room.plant.zone) or wall_clock()
        begin = in_zone(start, room.plant.zone) or until - timedelta(days=7)
        if begin >= until:
            raise OutOfBoundsError(f"the span ends before it begins: {begin.isoformat()} to {until.isoformat()}")
        found = health_of(connection, begin, until)
    call.show({"health": asdict(found) | {"advice": found.advice}}, lambda: _tell(found))


def _tell(found: "Health") -> None:
    from service.alerts.health import MOST_A_DAY

    click.echo(
        f"{found.alerts} alerts, {found.per_day:.1f} a day ({MOST_A_DAY} at most), at most "
        f"{found.most_in_ten_minutes} in ten minutes; {len(found.floods)} floods, in {found.flooded_share:.1%} of it."
    )
    if found.median_minutes_to_acknowledge is not None:
        click.echo(
            f"Acknowledged after {found.median_minutes_to_acknowledge:.0f} minutes in the middle, nine of ten within "
            f"{found.p90_minutes_to_acknowledge:.0f}; {found.never_acknowledged} were over before anybody saw them."
        )
    for each in found.top:
        click.echo(f"{each.alerts:>5}  {each.share:>4.0%}  {each.machine}, {each.cause}")
    for said in found.advice:
        click.echo(f"Tune or retire: {said}.")

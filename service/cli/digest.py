"""Print the digest of a shift: what was called for, what was held back and why, and what was quiet."""

import click

from service.cli.call import current_call, shared_options, wall_clock


@click.command()
@click.option("--shift", help="The newest of this name that is over.  [the newest of all]")
@shared_options
def command(shift: str | None) -> None:
    """Print the digest of a shift that is over."""
    from ingest.errors import UnknownNameError
    from ingest.plant_words import nearest
    from service.alerts.pipeline.digest import digest_of
    from service.alerts.pipeline.digest_words import headline_of, lines_of
    from service.alerts.pipeline.duty import WHOLE_DAY

    call = current_call()
    with call.open() as room, room.state.read() as connection:
        known = [each.name for each in room.plant.shifts] or [WHOLE_DAY]
        if shift is not None and shift not in known:
            raise UnknownNameError(f"no shift {shift!r}; {nearest(shift, known)}")
        rules = room.rules()
        worked = rules.roster.newest(wall_clock(), shift)
        if worked is None:
            raise UnknownNameError("no shift of the plant was over within the last two weeks")
        found, zone = digest_of(connection, rules, worked), room.plant.zone
    call.show(found.to_dict(), lambda: click.echo("\n".join([headline_of(found, zone), *lines_of(found)])))

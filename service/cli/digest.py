"""Print the digest of a shift: what was called for, what was held back and why, and what was quiet."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from service.cli.call import current_call, shared_options, wall_clock

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from service.alerts.pipeline.digest import Digest, Line


@click.command()
@click.option("--shift", help="The newest of this name that is over.  [the newest of all]")
@shared_options
def command(shift: str | None) -> None:
    """Print the digest of a shift that is over."""
    from ingest.errors import UnknownNameError
    from ingest.plant_words import nearest
    from service.alerts.pipeline.digest import digest_of
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
    call.show(found.to_dict(), lambda: _tell(found, zone))


def _tell(digest: "Digest", zone: "ZoneInfo") -> None:
    begin, end = (each.astimezone(zone) for each in (digest.shift.begin, digest.shift.end))
    click.echo(f"{digest.shift.shift}, {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}")
    watched = digest.watched
    suppressed = sum(watched.suppressed.values())
    click.echo(
        f"{watched.scored} watches scored: {watched.raised} raised, {suppressed} suppressed, "
        f"{watched.below_threshold} below threshold; {sum(watched.not_scored.values())} not scored"
    )
    _count(watched.suppressed, "suppressed")
    _count(watched.not_scored, "not scored")
    click.echo(f"{digest.raised} alerts raised: {len(digest.called)} called, {len(digest.held)} held back")
    _list(digest.called)
    _count(digest.held_back, "held back")
    _list(digest.held)
    for each in digest.budgets:
        beyond = f", and {each.critical} critical beyond it" if each.critical else ""
        click.echo(f"Route {each.route!r}: {each.spent} of {each.budget} calls of the week{beyond}")


def _count(reasons: Mapping[str, int], what: str) -> None:
    for reason, times in sorted(reasons.items(), key=lambda each: (-each[1], each[0])):
        click.echo(f"     {times} {what}: {reason}")


def _list(lines: "Sequence[Line]") -> None:
    for each in lines:
        why = f" ({each.reason}: {each.words})" if each.reason else ""
        click.echo(f"{each.number:>6}  {each.sentence or f'{each.machine}: {each.cause}'}{why}")

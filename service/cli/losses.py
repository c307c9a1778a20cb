"""Show where time was lost: the loss tree, OEE and the dearest losses."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from features.microsecond import HOUR
from service.cli.call import MOMENT, current_call, in_zone, shared_options, wall_clock

if TYPE_CHECKING:
    from models.efficiency.losses import Loss, Losses
    from service.control_room import ControlRoom

_WIDTH = 34
_SUMS = ("calendar", "planned", "busy", "running")


@click.command()
@click.option("--line", help="Of the machines of this line only.")
@click.option("--machine", help="Of this machine only.")
@click.option("--from", "start", type=MOMENT, help="Begin of the span.  [default: a week before its end]")
@click.option("--to", "stop", type=MOMENT, help="End of the span.  [default: now, or the newest event of a recording]")
@click.option(
    "--top", "most", type=click.IntRange(min=0), default=10, show_default=True, help="How many losses to list."
)
@click.option(
    "--convention",
    type=click.Choice(["classic", "iso"]),
    default="classic",
    show_default=True,
    help="Of mean times: by failures, or by failures + 1.",
)
@shared_options
def command(
    line: str | None, machine: str | None, start: datetime | None, stop: datetime | None, most: int, convention: Any
) -> None:
    """Show where calendar time went, down to good pieces, and what each loss costs an hour."""
    from service.losses import DEFAULT_SPAN, losses_between

    call = current_call()
    with call.open() as room:
        zone, currency = room.plant.zone, room.plant.currency
        end = min(in_zone(stop, zone) or _newest(room), wall_clock())
        begin = in_zone(start, zone) or end - DEFAULT_SPAN
        if begin >= end:
            raise click.UsageError(f"--from {begin.astimezone(zone):%Y-%m-%d %H:%M} is not before --to")
        found = losses_between(
            room.plant, room.store, begin, end, line=line, machine=machine, most=most, convention=convention
        )
    shown = {
        "from": begin,
        "to": end,
        "line": line,
        "machines": found.machines,
        "currency": currency,
        "oee": found.oee.to_dict(),
        "tree": [each.to_dict() for each in found.tree],
        "top": [each.to_dict() for each in found.top],
        "reliability": found.reliability.to_dict(),
        "remarks": found.remarks,
    }
    span = f"{begin.astimezone(zone):%Y-%m-%d %H:%M} to {end.astimezone(zone):%Y-%m-%d %H:%M}"
    call.show(shown, lambda: _tell(found, span, currency))


def _newest(room: "ControlRoom") -> datetime:
    """Return the present of a live plant, or when the newest event of a recorded one began."""
    from service.cli.present import LIVE_WITHIN
    from service.losses import TOLD_KINDS

    now = wall_clock()
    newest = room.store.newest_event(TOLD_KINDS)
    return now if newest is None or now - newest <= LIVE_WITHIN else newest


def _tell(found: "Losses", span: str, currency: str) -> None:
    count = len(found.machines)
    click.echo(f"{span}, {count} machine{'s' * (count != 1)}")
    click.echo(f"\n{'':{_WIDTH}}{'hours':>10}{'share':>9}{'pieces':>12}{f'{currency}/h':>11}")
    for each in found.tree:
        if each.time or each.name in _SUMS:
            click.echo(_row(each))
    click.echo()
    for name, label in (
        ("availability", "availability  A  = APT / PBT"),
        ("effectiveness", "effectiveness E  = PRI x PQ / APT"),
        ("quality_ratio", "quality ratio QR = GQ / PQ"),
        ("oee", "OEE              = A x E x QR"),
    ):
        value = getattr(found.oee, name)
        click.echo(f"{label:{_WIDTH}}" + (f"{value:>10.1%}" if value is not None else _why(found, name)))
    if found.oee.between is not None and found.oee.between[1] > found.oee.between[0]:
        low, high = found.oee.between
        click.echo(f"{'  whatever the unknown time was':{_WIDTH}}{low:>10.1%} to {high:.1%}")
    _tell_reliability(found)
    if found.top:
        click.echo("\nDearest losses")
    for place, each in enumerate(found.top, start=1):
        click.echo(f"{place:>3}. {_loss(each, currency)}")
    for remark in (*found.oee.flags(), *found.remarks):
        click.echo(f"Look at {remark}" if remark[0].islower() else remark)


def _row(loss: "Loss") -> str:
    label = loss.label if loss.name in _SUMS else f"  {loss.label}"
    made_or_lost = loss.money is not None or loss.name == "good"
    pieces = f"{loss.pieces:,.0f}" if made_or_lost and loss.pieces is not None else ""
    money = "" if loss.money_per_hour is None else f"{loss.money_per_hour:,.2f}"
    return f"{label:{_WIDTH}}{loss.time / HOUR:>10,.2f}{loss.share:>9.1%}{pieces:>12}{money:>11}".rstrip()


def _why(found: "Losses", name: str) -> str:
    return f"{'–':>10}  {found.oee.reasons().get(name, '')}"


def _tell_reliability(found: "Losses") -> None:
    known = found.reliability
    parts = [f"{known.failures} breakdown{'s' * (known.failures != 1)}"]
    if known.mtbf is not None and known.mttr is not None:
        parts.append(f"MTBF {known.mtbf:.1f} h, MTTR {known.mttr:.2f} h ({known.convention})")
    if known.median is not None:
        still = f"{known.censored} of {known.stretches} not ended"
        parts.append(f"half outlast {known.median:.1f} h (Kaplan-Meier, {still})")
    if known.weibull is not None:
        parts.append(f"Weibull shape {known.weibull.shape:.2f}")
    click.echo("\n" + "; ".join(parts))


def _loss(loss: "Loss", currency: str) -> str:
    reason = f" '{loss.reason}'" if loss.reason else ""
    times = f", {loss.times:,} times" if (loss.times or 0) > 1 else ""
    pieces = f", {loss.pieces:,.0f} pieces" if loss.pieces else ""
    money = f"{loss.money_per_hour:,.2f} {currency}/h: " if loss.money_per_hour is not None else ""
    return f"{money}{loss.machine}, {loss.label}{reason}: {loss.time / HOUR:,.2f} h{times}{pieces}"

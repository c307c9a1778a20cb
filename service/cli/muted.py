"""List what is muted, and take machines out of service and back."""

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from service.cli.call import SPAN, current_call, shared_options, wall_clock

if TYPE_CHECKING:
    from datetime import timedelta

    from service.alerts.mute import Mute

_BY = click.option("--by", default=getpass.getuser, help="Who does it.  [your user name]")
_WHY = click.option("--why", required=True, help="The reason, for everybody who asks later.")


@click.command()
@click.option("--all", "every", is_flag=True, help="What is over, too.")
@click.option("--machine", help="Of this machine only.")
@shared_options
def muted(every: bool, machine: str | None) -> None:
    """List what is shelved, suppressed or out of service, newest first."""
    from service.alerts.mutes import list_mutes

    call = current_call()
    with call.open() as room, room.state.read() as connection:
        found = list_mutes(connection, at=None if every else wall_clock(), machine=machine)
    _show(found, {"mutes": [asdict(each) for each in found]})


@click.command("out-of-service")
@click.argument("machine")
@click.option("--cause", default="", help="Only alerts of this cause.  [all of the machine]")
@click.option("--for", "lasting", type=SPAN, help="How long, such as '3 d'.  [as long as the plant file allows]")
@_WHY
@_BY
@shared_options
def out_of_service(machine: str, cause: str, lasting: "timedelta | None", why: str, by: str) -> None:
    """Take MACHINE, or one cause of it, out of service for a while."""
    from ingest.errors import UnknownNameError
    from service.alerts.out_of_service import take_out_of_service

    call = current_call()
    at = wall_clock()
    with call.open() as room, room.calling(wall_clock()).write() as connection:
        if machine not in {each.name for each in room.plant.machines}:
            raise UnknownNameError(f"no machine {machine!r} in the plant file")
        mute = take_out_of_service(
            connection,
            machine,
            cause=cause,
            by=by,
            why=why,
            at=at,
            longest=room.plant.alerts.longest_out_of_service,
            until=None if lasting is None else at + lasting,
        )
    _show([mute], {"mute": asdict(mute)})


@click.command("back-in-service")
@click.argument("mute", type=int)
@_WHY
@_BY
@shared_options
def back_in_service(mute: int, why: str, by: str) -> None:
    """Put back what mute MUTE took out of service; 'andon alerts muted' lists their numbers."""
    from service.alerts import out_of_service

    call = current_call()
    with call.open() as room, room.calling(wall_clock()).write() as connection:
        over = out_of_service.back_in_service(connection, mute, by=by, why=why, at=wall_clock())
    _show([over], {"mute": asdict(over)})


def told(mute: "Mute") -> str:
    """Say in one line what is muted, by whom, until when and why."""
    if mute.ended_at is None:
        until = f"until {mute.until:%Y-%m-%d %H:%M} UTC"
    else:
        until = f"over since {mute.ended_at:%Y-%m-%d %H:%M} UTC by {mute.ended_by} ({mute.ended_why})"
    return f"{mute.name} by {mute.by}, {until}: {mute.why}"


def _show(mutes: "list[Mute]", data: object) -> None:
    def tell() -> None:
        if not mutes:
            click.echo("Nothing is muted.")
        for each in mutes:
            click.echo(f"{each.id:>4}  {each.of}: {told(each)}")

    current_call().show(data, tell)

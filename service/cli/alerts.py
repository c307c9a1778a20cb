"""List and show alerts, and say what people do with them."""

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from service.cli.alert_health import health
from service.cli.call import SPAN, current_call, shared_options, unless_asked_otherwise, wall_clock
from service.cli.calls import route, trace
from service.cli.muted import back_in_service, muted, out_of_service, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from service.alerts.alert import Alert
    from service.control_room import ControlRoom

BY = click.option("--by", default=getpass.getuser, help="Who does it.  [your user name]")
NOTE = click.option("--note", default="", help="What was found, or why.")
WHY = click.option("--why", required=True, help="The reason, for everybody who asks later.")


@click.group(invoke_without_command=True)
@shared_options
def command() -> None:
    """List, show and deal with alerts; without a subcommand: list the open ones."""
    unless_asked_otherwise(list_)


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Closed ones, too.")
@click.option("--machine", help="Of this machine only.")
@click.option("--assignee", help="Of this person only; '' for those of nobody.")
@shared_options
def list_(every: bool = False, machine: str | None = None, assignee: str | None = None) -> None:
    """List alerts, newest first."""
    from service.alerts.alert import LIVE_STATES, AlertState
    from service.alerts.book import list_alerts
    from service.alerts.mutes import muted

    call = current_call()
    with call.open() as room, room.state.read() as connection:
        states = tuple(AlertState) if every else LIVE_STATES
        alerts = list_alerts(connection, states=states, machine=machine, assignee=assignee)
        alerts = muted(connection, alerts, wall_clock())
    call.show({"alerts": [asdict(alert) for alert in alerts]}, lambda: _tell(alerts))


@command.command()
@click.argument("number", type=int)
@shared_options
def show(number: int) -> None:
    """Show alert NUMBER with its evidence and history."""
    from service.alerts import book

    call = current_call()
    with call.open() as room, room.state.read() as connection:
        alert, history = book.find_muted(connection, number, wall_clock()), book.history(connection, number)

    def tell() -> None:
        _tell([alert])
        for each in alert.evidence:
            unit = f" {each.unit}" if each.unit else ""
            click.echo(
                f"     {each.signal}, {each.feature}: {each.actual:.4g}{unit}, normally {each.expected:.4g}{unit}"
            )
        for line in history:
            click.echo(
                f"     {line.at:%Y-%m-%d %H:%M} {line.happening} by {line.by}{f': {line.why}' if line.why else ''}"
            )

    call.show({"alert": asdict(alert), "history": [asdict(line) for line in history]}, tell)


@command.command()
@click.argument("number", type=int)
@BY
@NOTE
@shared_options
def acknowledge(number: int, by: str, note: str) -> None:
    """Say that you have seen alert NUMBER and look after it."""
    from service.alerts import book

    _change(lambda connection, room: book.acknowledge(connection, number, by=by, at=wall_clock(), note=note))


@command.command()
@click.argument("number", type=int)
@click.argument("text")
@BY
@shared_options
def comment(number: int, text: str, by: str) -> None:
    """Add a remark to the history of alert NUMBER."""
    from service.alerts import book

    _change(lambda connection, room: book.comment(connection, number, by=by, at=wall_clock(), text=text))


@command.command()
@click.argument("number", type=int)
@click.option("--for", "lasting", type=SPAN, help="How long, such as '8 h'.  [as long as the plant file allows]")
@click.option("--once", is_flag=True, help="Over already when its condition is over.")
@WHY
@BY
@shared_options
def shelve(number: int, lasting: "timedelta | None", once: bool, why: str, by: str) -> None:
    """Shelve alert NUMBER: nobody wants to be told of it for a while."""
    from service.alerts import shelve

    def work(connection: Any, room: "ControlRoom") -> "Alert":
        at, longest = wall_clock(), room.plant.alerts.longest_shelving
        until = None if lasting is None else at + lasting
        return shelve.shelve(connection, number, by=by, why=why, at=at, longest=longest, until=until, once=once)

    _change(work)


@command.command()
@click.argument("number", type=int)
@WHY
@BY
@shared_options
def unshelve(number: int, why: str, by: str) -> None:
    """End the shelving of alert NUMBER before its time."""
    from service.alerts import shelve

    _change(lambda connection, room: shelve.unshelve(connection, number, by=by, why=why, at=wall_clock()))


@command.command()
@click.argument("number", type=int)
@BY
@NOTE
@shared_options
def reset(number: int, by: str, note: str) -> None:
    """Let alert NUMBER, which latched, become normal."""
    from service.alerts import book

    _change(lambda connection, room: book.reset(connection, number, by=by, at=wall_clock(), note=note))


@command.command()
@click.argument("number", type=int)
@click.option(
    "--verdict", required=True, type=click.Choice(["right", "wrong", "not inspected", "prevented"]), help="What it was."
)
@click.option("--mode", default="", help="Failure mode: a component, or the code of a failure.")
@click.option("--new-mode", is_flag=True, help="The mode is a new one, and no slip.")
@click.option("--mechanism", default="", help="What made it fail, such as 'wear'.")
@click.option("--cause", "root_cause", default="", help="Why that came about.")
@click.option("--action", default="", help="What was done.")
@BY
@NOTE
@shared_options
def close(number: int, verdict: str, by: str, note: str, *, new_mode: bool, **found: str) -> None:
    """Close alert NUMBER with a verdict, and with what was found."""
    from service.alerts import book
    from service.alerts.alert import Verdict
    from service.alerts.found import Found, known_modes, refuse_unknown, understood

    def work(connection: Any, room: "ControlRoom") -> "Alert":
        if found["mode"] and not new_mode:
            machine = book.show(connection, number).machine
            refuse_unknown(found["mode"], known_modes(room.plant, room.store, machine))
        said, at = understood(Found(**found), room.plant), wall_clock()
        return book.close(connection, number, verdict=Verdict(verdict), by=by, at=at, note=note, found=said)

    _change(work)


@command.command()
@click.argument("number", type=int)
@click.argument("person")
@BY
@NOTE
@shared_options
def assign(number: int, person: str, by: str, note: str) -> None:
    """Give alert NUMBER to PERSON to look after."""
    from service.alerts import assign

    _change(lambda connection, room: assign.assign(connection, number, to=person, by=by, at=wall_clock(), note=note))


@command.command()
@click.argument("number", type=int)
@BY
@NOTE
@shared_options
def unassign(number: int, by: str, note: str) -> None:
    """Take alert NUMBER from whoever it was given to."""
    from service.alerts import assign

    _change(lambda connection, room: assign.unassign(connection, number, by=by, at=wall_clock(), note=note))


def _change(work: "Callable[[Any, ControlRoom], Alert]") -> None:
    from service.alerts.book import find_muted

    call = current_call()
    with call.open() as room, room.calling(wall_clock()).write() as connection:
        alert = find_muted(connection, work(connection, room).number, wall_clock())
    call.show({"alert": asdict(alert)}, lambda: _tell([alert]))


def _tell(alerts: "list[Alert]") -> None:
    if not alerts:
        click.echo("No open alert.")
    for alert in alerts:
        given = f"  [{alert.assignee}]" if alert.assignee else ""
        click.echo(f"{alert.number:>4}  {alert.state:<14}  {alert.sentence}{given}")
        for mute in alert.mutes:
            click.echo(f"      {told(mute)}")


for each in (trace, route, muted, out_of_service, back_in_service, health):
    command.add_command(each)

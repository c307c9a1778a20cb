"""List, show, acknowledge and close alerts."""

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from service.cli.call import current_call, shared_options, unless_asked_otherwise, wall_clock

if TYPE_CHECKING:
    from service.alerts.alert import Alert

BY = click.option("--by", default=getpass.getuser, help="Who does it.  [your user name]")
NOTE = click.option("--note", default="", help="What was found, or why.")


@click.group(invoke_without_command=True)
@shared_options
def command() -> None:
    """List, show, acknowledge and close alerts; without a subcommand: list the open ones."""
    unless_asked_otherwise(list_)


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Closed ones, too.")
@click.option("--machine", help="Of this machine only.")
@shared_options
def list_(every: bool = False, machine: str | None = None) -> None:
    """List alerts, newest first."""
    from service.alerts.alert import LIVE_STATES, AlertState
    from service.alerts.book import list_alerts

    call = current_call()
    with call.open() as room, room.state.read() as connection:
        alerts = list_alerts(connection, states=tuple(AlertState) if every else LIVE_STATES, machine=machine)
    call.show({"alerts": [asdict(alert) for alert in alerts]}, lambda: _tell(alerts))


@command.command()
@click.argument("number", type=int)
@shared_options
def show(number: int) -> None:
    """Show alert NUMBER with its evidence and history."""
    from service.alerts import book

    call = current_call()
    with call.open() as room, room.state.read() as connection:
        alert, history = book.show(connection, number), book.history(connection, number)

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

    _change(lambda connection: book.acknowledge(connection, number, by=by, at=wall_clock(), note=note))


@command.command()
@click.argument("number", type=int)
@click.option(
    "--verdict", required=True, type=click.Choice(["right", "wrong", "not inspected", "prevented"]), help="What it was."
)
@BY
@NOTE
@shared_options
def close(number: int, verdict: str, by: str, note: str) -> None:
    """Close alert NUMBER with a verdict."""
    from service.alerts import book
    from service.alerts.alert import Verdict

    _change(
        lambda connection: book.close(connection, number, verdict=Verdict(verdict), by=by, at=wall_clock(), note=note)
    )


def _change(work: Any) -> None:
    call = current_call()
    with call.open() as room, room.state.write() as connection:
        alert = work(connection)
    call.show({"alert": asdict(alert)}, lambda: _tell([alert]))


def _tell(alerts: "list[Alert]") -> None:
    if not alerts:
        click.echo("No open alert.")
    for alert in alerts:
        click.echo(f"{alert.number:>4}  {alert.state:<14}  {alert.sentence}")

"""Draft, approve and refuse work orders, and hand them to the maintenance system."""

import getpass
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from service.cli.call import current_call, shared_options, unless_asked_otherwise, wall_clock

if TYPE_CHECKING:
    from service.alerts.work_order import WorkOrder

_BY = click.option("--by", default=getpass.getuser, help="Who does it.  [your user name]")


@click.group(invoke_without_command=True)
@shared_options
def command() -> None:
    """List work orders and decide on them; without a subcommand: list those that are open."""
    unless_asked_otherwise(list_)


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Refused ones and those that are done, too.")
@shared_options
def list_(every: bool = False) -> None:
    """List work orders, newest first."""
    from service.alerts.work_order import WorkOrderState
    from service.alerts.work_orders import OPEN, list_orders

    call = current_call()
    with call.open() as room, room.state.read() as connection:
        found = list_orders(connection, states=tuple(WorkOrderState) if every else OPEN)
    _show(found)


@command.command()
@shared_options
def draft() -> None:
    """Draft work orders for the open alerts now, as each round of a job does; no more than the week may have."""
    from service.work_order_drop import draft_work_orders

    call = current_call()
    with call.open() as room:
        found = draft_work_orders(room, at=wall_clock())
    _show(found)


@command.command()
@click.argument("number", type=int)
@click.option("--title", default="", help="What it says, in place of what was drafted.")
@click.option("--note", default="", help="What else maintenance should know.")
@_BY
@shared_options
def approve(number: int, title: str, note: str, by: str) -> None:
    """Let draft NUMBER go to the maintenance system."""
    from service.alerts.work_order import Deed
    from service.alerts.work_orders import decide

    _change(lambda c: decide(c, number, Deed.APPROVE, by=by, at=wall_clock(), why=note, title=title))


@command.command()
@click.argument("number", type=int)
@click.option("--why", required=True, help="The reason, for everybody who asks later.")
@_BY
@shared_options
def refuse(number: int, why: str, by: str) -> None:
    """Refuse draft NUMBER, or take an approved one back; its alert gets no other."""
    from service.alerts.work_order import Deed
    from service.alerts.work_orders import decide

    _change(lambda connection: decide(connection, number, Deed.REFUSE, by=by, at=wall_clock(), why=why))


@command.command()
@shared_options
def exchange() -> None:
    """Write approved ones to the folder and read the answers in it, as 'andon serve' does every few seconds."""
    from service.work_order_drop import hand_over, read_answers

    call = current_call()
    with call.open() as room:
        made = hand_over(room, at=wall_clock())
        taken, problems = read_answers(room, at=wall_clock())

    def tell() -> None:
        click.echo(f"{len(made)} handed over, {taken} answers read.")
        for each in problems:
            click.echo(f"Refused: {each}", err=True)

    call.show({"handed_over": made, "answers": taken, "problems": problems}, tell)
    if problems:
        click.get_current_context().exit(1)


def _change(work: "Callable[[Any], WorkOrder]") -> None:
    with current_call().open() as room, room.state.write() as connection:
        order = work(connection)
    _show([order])


def _show(found: "list[WorkOrder]") -> None:
    def tell() -> None:
        if not found:
            click.echo("No work order.")
        for each in found:
            there = f" ({' '.join(filter(None, (each.reference, each.status)))})" if each.status else ""
            click.echo(f"{each.number:>4}  {each.state.value:<8}  {each.worth:>10,.0f}  {each.title}{there}")

    current_call().show({"work_orders": [asdict(each) for each in found]}, tell)

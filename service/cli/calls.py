"""Ask whom alerts call: the trace of one that is there, and what would become of one that is not."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, get_args

import click

from ingest.plant_route import AlertKind
from service.cli.call import SPAN, current_call, shared_options, wall_clock

if TYPE_CHECKING:
    from datetime import datetime, timedelta


@click.command()
@click.argument("number", type=int)
@shared_options
def trace(number: int) -> None:
    """Say why people were called about alert NUMBER, or not."""
    from service.alerts.pipeline.trace import trace_of

    call = current_call()
    with call.open() as room, room.state.read() as connection:
        found = trace_of(connection, number)

    def tell() -> None:
        for step in found.steps:
            click.echo(f"{_minute(step.at)} {step.happening or 'a timer came due'}, by {step.by}")
            if step.words:
                click.echo(f"     {step.words}")
            for each in step.decisions:
                click.echo(f"     {_decided(asdict(each))}")
        for standing in found.calls:
            again = f", looked at again {_minute(standing.next_look)}" if standing.next_look else ""
            click.echo(f"Now on route {standing.route!r}: {standing.state}, {standing.reason}{again}")

    call.show(asdict(found), tell)


@click.command()
@click.option("--machine", required=True, help="Machine.")
@click.option(
    "--kind", type=click.Choice(get_args(AlertKind)), default="failure ahead", show_default=True, help="Kind."
)
@click.option("--cause", default="", help="What it is about.")
@click.option("--level", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="The model's number.")
@click.option("--time-to-act", "left", type=SPAN, default="1 d", show_default=True, help="How long there is to act.")
@click.option("--money-per-hour", "lost", type=click.FloatRange(min=0), help="What a loss costs an hour.")
@click.option("--signal", "signals", multiple=True, help="What it rests on; may be given several times.")
@shared_options
def route(
    machine: str, kind: Any, cause: str, level: float, left: "timedelta", lost: float | None, signals: tuple[str, ...]
) -> None:
    """Say whom an alert would call that nobody has raised; nothing is written."""
    from ingest.errors import UnknownNameError
    from service.alerts.pipeline.what_if import imagined, what_if

    call = current_call()
    now = wall_clock()
    with call.open() as room, room.state.read() as connection:
        if machine not in {each.name for each in room.plant.machines}:
            raise UnknownNameError(f"no machine {machine!r} in the plant file")
        alert = imagined(machine, kind, cause, level=level, now=now, left=left, signals=signals)
        found = what_if(connection, room.rules(), alert, now, lost=lost)

    def tell() -> None:
        if not found:
            click.echo("No route of the plant file takes it.")
        for each in found:
            wait = f" waits for {each.group} until {_minute(each.waits_until)}, then" if each.waits_until else ""
            click.echo(f"{each.severity}{wait} {_decided(asdict(each))}")

    call.show({"routes": [asdict(each) for each in found]}, tell)


def _decided(decision: dict[str, Any]) -> str:
    """Say one decision in one line."""
    on = f"route {decision['route']!r}: " if decision["route"] else ""
    who = f" {', '.join(decision['targets'])}" if decision["targets"] else ""
    stage = f" ({decision['stage']})" if decision["stage"] else ""
    until = f", until {_minute(decision['until'])}" if decision["until"] else ""
    words = f": {decision['words']}" if decision["words"] else ""
    return f"{on}{decision['reason'] or 'calls'}{who}{stage}{until}{words}"


def _minute(moment: "datetime") -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"

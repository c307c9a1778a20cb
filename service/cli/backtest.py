"""Replay the past: what would have been raised, how much of it right, and what it would have saved."""

from typing import Any

import click

from service.cli.call import MOMENT, current_call, engine_option, in_zone, progress, shared_options
from service.cli.each import each_model


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL…]")
@click.option("--from", "start", type=MOMENT, help="Train before this time, judge after it.")
@click.option("--to", "end", type=MOMENT, help="Judge up to this time.")
@engine_option
@shared_options
def command(models: tuple[str, ...], start: Any, end: Any, engine: str | None) -> None:
    """Train on the first part of the past, replay the rest as it would have happened, and judge it."""
    from models.backtest import backtest

    call = current_call()
    with call.open(engine=engine) as room, progress(call.as_json) as advance:
        zone = room.plant.zone
        reports, problems = each_model(
            room.plant,
            models,
            lambda entry: backtest(
                room.plant,
                room.store,
                entry,
                start=in_zone(start, zone),
                end=in_zone(end, zone),
                progress=advance,
                engine=room.engine,
            ),
        )
    call.show(
        {"models": [report.to_dict() for report in reports], "problems": problems},
        lambda: click.echo("\n\n".join(report.summary() for report in reports)),
    )
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        click.get_current_context().exit(1)

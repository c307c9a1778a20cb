"""Train models, judge them on the past, and register them."""

from typing import Any

import click

from service.cli.backtest import RANDOM_SPLIT
from service.cli.call import MOMENT, current_call, engine_option, in_zone, progress, shared_options, wall_clock
from service.cli.each import each_model


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL…]")
@click.option("--until", type=MOMENT, help="Use the past up to this time only.")
@click.option("--accept-leaks", default="", metavar="REASON", help="Train although features know the outcome, and why.")
@RANDOM_SPLIT
@engine_option
@shared_options
def command(models: tuple[str, ...], until: Any, accept_leaks: str, random_split: bool, engine: str | None) -> None:
    """Train the MODELs of the plant file (all when none is named) and register a version of each.

    A model whose features know the outcome is not trained: the leak is named, with what to do.
    """
    from models.train import train
    from service.alerts.learnt import learnt_history
    from service.retire import retire

    call = current_call()
    with call.open(engine=engine) as room, progress(call.as_json) as advance:
        history = learnt_history(room.state, room.plant, room.store)
        reports, problems = each_model(
            room.plant,
            models,
            lambda entry: train(
                room.plant,
                history,
                entry,
                room.registry,
                now=wall_clock(),
                until=in_zone(until, room.plant.zone),
                progress=advance,
                accept_leaks=accept_leaks,
                engine=room.engine,
                random_split=random_split,
            ),
        )
        trained = {report.model: report.version for report in reports}
        if trained:
            _, kept = each_model(
                room.plant, list(trained), lambda entry: retire(room, entry.name, trained=trained[entry.name])
            )
            problems += kept
    call.show(
        {"models": [report.to_dict() for report in reports], "problems": problems},
        lambda: _tell(reports, problems),
    )
    if problems:
        click.get_current_context().exit(1)


def _tell(reports: list[Any], problems: list[str]) -> None:
    for report in reports:
        click.echo(report.summary())
    for problem in problems:
        click.echo(problem, err=True)

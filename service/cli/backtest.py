"""Replay the past: what would have been raised, how much of it right, and what it would have saved."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.cli.call import MOMENT, current_call, engine_option, in_zone, progress, shared_options
from service.cli.each import each_model

if TYPE_CHECKING:
    from models.judging.judged import Verdicts

RANDOM_SPLIT = click.option(
    "--random-split", is_flag=True, help="Judge on windows drawn at random: flatters, and marks whatever comes of it."
)


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL…]")
@click.option("--from", "start", type=MOMENT, help="Train before this time, judge after it.")
@click.option("--to", "end", type=MOMENT, help="Judge up to this time.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="Write a page with the pictures; of several models one each, with the model's name in the file's.",
)
@RANDOM_SPLIT
@engine_option
@shared_options
def command(
    models: tuple[str, ...], start: Any, end: Any, html: Path | None, random_split: bool, engine: str | None
) -> None:
    """Train on the first part of the past, replay the rest as it would have happened, and judge it.

    Machines are looked at when the plant file's jobs would have looked at them. The page needs no other file.
    """
    from models.judging.judged import judged
    from service.alerts.learnt import learnt_history
    from service.jobs.looks import looks_of

    call = current_call()
    with call.open(engine=engine) as room, progress(call.as_json) as advance:
        zone, history = room.plant.zone, learnt_history(room.state, room.plant, room.store)
        reports, problems = each_model(
            room.plant,
            models,
            lambda entry: judged(
                room.plant,
                history,
                entry,
                start=in_zone(start, zone),
                end=in_zone(end, zone),
                rounds=looks_of(room.plant, room.store, entry),
                random_split=random_split,
                progress=advance,
                engine=room.engine,
            ),
        )
    pages = (
        {}
        if html is None
        else {report.model: _page_of(html, report.model, several=len(reports) > 1) for report in reports}
    )
    for report in reports:
        if report.model in pages:
            _write(pages[report.model], report)
    call.show(
        {
            "models": [
                {**report.to_dict(), "traces": [trace.to_dict() for trace in report.traces]} for report in reports
            ],
            "pages": [str(page) for page in pages.values()],
            "problems": problems,
        },
        lambda: click.echo("\n\n".join(_told(report, pages.get(report.model)) for report in reports)),
    )
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        click.get_current_context().exit(1)


def _told(report: "Verdicts", page: Path | None) -> str:
    return report.summary() if page is None else f"{report.summary()}\nPictures: {page}"


def _page_of(html: Path, model: str, *, several: bool) -> Path:
    from models.registry.slug import slug

    return html.with_stem(f"{html.stem}-{slug(model)}") if several else html


def _write(page: Path, report: "Verdicts") -> None:
    from models.judging.backtest_report import BacktestReport
    from models.report.page import report_page

    if not isinstance(report, BacktestReport):
        raise click.ClickException(f"{report.model}: a page of pictures is drawn of alerts, and it raises none")
    text = report_page(report.to_dict(), [trace.to_dict() for trace in report.traces], said=report.summary())
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{page}: cannot be written ({error.strerror or error})") from error

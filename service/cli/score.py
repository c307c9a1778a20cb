"""Score the newest readings once and list where to look first."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from service.cli.call import MOMENT, current_call, engine_option, in_zone, shared_options, wall_clock

if TYPE_CHECKING:
    from models.filled import Filled
    from models.registry.registry import Registry
    from service.control_room import ControlRoom


@click.command()
@click.option("--at", type=MOMENT, help="As of this time.  [the present, or the newest reading of a recorded plant]")
@click.option("--since", type=MOMENT, help="On the first round: how far back to assess.")
@engine_option
@shared_options
def command(at: Any, since: Any, engine: str | None) -> None:
    """Turn the newest readings into assessments and alerts, and list where to look first."""
    call = current_call()
    with call.open(engine=engine) as room:
        outcome = score(room, at=in_zone(at, room.plant.zone), since=in_zone(since, room.plant.zone))
        call.show(outcome, lambda: tell(outcome))
    if outcome["round"]["errors"]:
        click.get_current_context().exit(1)


def score(room: "ControlRoom", *, at: datetime | None, since: datetime | None) -> dict[str, Any]:
    """Run one round and return what it did, with the ranked open alerts."""
    from service import monitor
    from service.alerts.book import list_alerts
    from service.alerts.kept_money import kept_money
    from service.alerts.mutes import muted
    from service.alerts.rank import where_to_look_first
    from service.cli.present import present
    from service.grades import grade_when_due
    from service.levels import newest_levels

    note = ""
    if at is None:
        at, note = present(room.plant, room.store, wall_clock())
    report = monitor.round(room.plant, room.store, room.registry, room.state, at=at, since=since, engine=room.engine)
    grade_when_due(room.plant, room.store, room.state, at=at)
    with room.state.read() as connection:
        live, lost = muted(connection, list_alerts(connection), at), kept_money(connection)
        ranked = where_to_look_first(live, room.plant.costs, at, room.registry.card, lost)
    asked = {(each.alert.model, each.alert.machine): None for each in ranked}
    filled = {(each.model, each.machine): each.filled for each in newest_levels(room.state, list(asked), until=at)}
    return {
        "at": at,
        "note": note,
        "round": report.to_dict(),
        "not_live": [_why_not_live(room.registry, model) for model in report.untrained],
        "where_to_look_first": [
            {
                "alert": each.alert.number,
                "machine": each.alert.machine,
                "kind": each.alert.kind,
                "cause": each.alert.cause,
                "model": each.alert.model,
                "since": each.alert.condition_begin,
                "act_before": each.alert.act_before,
                "level": each.alert.level,
                "filled": _shown(filled.get((each.alert.model, each.alert.machine))),
                "sentence": each.alert.sentence,
            }
            for each in ranked
        ],
    }


def _shown(filled: "Filled | None") -> dict[str, Any] | None:
    """Return how well readings cover a machine's newest level, as JSON types."""
    return None if filled is None else {"share": filled.share, "thin": dict(filled.thin), "says": filled.words()}


def _why_not_live(registry: "Registry", model: str) -> str:
    """Say what a model that is not live lacks."""
    from models.registry.promotion import hindrance

    versions = registry.versions(model)
    if not versions:
        return f"{model}: no version yet; run: andon train"
    newest = versions[-1]
    if why_not := hindrance(newest.card):
        return f"{model}: version {newest.version} is not live: {why_not}."
    return f"{model}: version {newest.version} waits for a person; see andon models show, then andon models promote"


def told_of_late(rescored: int, too_late: int) -> Iterator[str]:
    """Say what a round made of late readings."""
    if rescored:
        yield f"{rescored:,} windows assessed again, because readings of them had come late."
    if too_late:
        yield f"{too_late:,} rows came too late to assess their windows again (see late_within); they are kept."


def headline(alerts: int, windows: int) -> str:
    """Say whether anything needs a look: of nothing that was assessed, nobody can say that all is well.

    Examples
    --------
    >>> headline(0, 12)
    'Nothing needs a look now.'
    """
    if alerts:
        return "Where to look first:"
    if windows:
        return "Nothing needs a look now."
    return "No alert is open, and no window was new: an earlier round looked as far, or nothing was read."


def tell(outcome: dict[str, Any]) -> None:
    """Print a round for people."""
    report = outcome["round"]
    if outcome["note"]:
        click.echo(outcome["note"])
    click.echo(
        f"{report['machines']} machines, {report['windows']:,} windows assessed, {report['raised']} alerts raised."
    )
    for line in told_of_late(report["rescored"], report["too_late"]):
        click.echo(line)
    if not report["models"]:
        click.echo("No model is live." if report["untrained"] else "The plant file lists no model.")
    for line in outcome["not_live"]:
        click.echo(line)
    if not report["models"]:
        return
    for line in report["errors"]:
        click.echo(line, err=True)
    if report["stale"]:
        click.echo(f"No new readings from: {', '.join(report['stale'])}.")
    for reason, machines in report["not_assessed"].items():
        click.echo(f"Not assessed, {reason}: {', '.join(machines)}.")
    for signal, machines in report["thin"].items():
        click.echo(f"Less than half of the expected readings of {signal}: {', '.join(machines)}.")
    ranked = outcome["where_to_look_first"]
    click.echo(headline(len(ranked), report["windows"]))
    for rank, alert in enumerate(ranked, start=1):
        click.echo(f"{rank:>3}. {alert['sentence']}")

"""All of it on the sample plant: read, train, judge, score, and serve the dashboard."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.cli.call import current_call, progress, shared_options, wall_clock
from service.cli.score import score, tell
from service.cli.serve import replayed_clock, serve, who_comes_in

if TYPE_CHECKING:
    import pandas as pd

    from ingest.plant import Plant
    from service.control_room import ControlRoom

SAMPLE = Path(__file__).parents[2] / "sample_data"


@click.command()
@click.option("--serve/--no-serve", "serving", default=True, help="Serve the dashboard afterwards.  [on]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [8420]")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("andon-demo"), help="Where to work."
)
@shared_options
def command(serving: bool, port: int | None, folder: Path) -> None:
    """Read the sample plant, train, replay the past, score the present, and serve the dashboard."""
    from service.control_room import open_control_room

    call = current_call()
    call.plant = call.plant or lay_out(folder)
    settings = call.settings(port=port)
    with open_control_room(settings) as room:
        told = run(room, call.as_json)
        call.show(told, lambda: None)
        clock = replayed_clock(room)
        if serving:
            click.echo(who_comes_in(room), err=call.as_json)
    if serving:
        serve(settings, clock=clock)


def lay_out(folder: Path) -> Path:
    """Copy the sample plant to a folder of its own, or make it up anew where it was not delivered."""
    plant = folder / "plant.toml"
    if plant.exists():
        return plant
    if SAMPLE.is_dir():
        keep_out = shutil.ignore_patterns("andon-data")
        shutil.copytree(SAMPLE, folder, dirs_exist_ok=True, ignore=keep_out)
        return plant
    raise click.UsageError("the sample plant is part of a checkout; make one up: andon simulate my-plant")


def run(room: "ControlRoom", as_json: bool) -> dict[str, Any]:
    """Do the whole chain, print each step for people, and return what came of it."""
    from ingest.sources.files import ingest_files
    from models.train import train

    say = (lambda _text: None) if as_json else click.echo
    with progress(as_json) as advance:
        say(f"Reading {room.plant.name} ...")
        read = ingest_files(room.plant, room.store, now=wall_clock(), progress=advance)
        say(f"{sum(file.accepted for file in read.files):,} rows of readings in {read.seconds:.1f} s.")
        reports = []
        for entry in room.plant.models:
            say(f"\nTraining {entry.name} and replaying the past ...")
            reports.append(
                train(
                    room.plant,
                    room.store,
                    entry,
                    room.registry,
                    now=wall_clock(),
                    progress=advance,
                    engine=room.engine,
                )
            )
            say(reports[-1].summary())
    say("\nScoring the present ...")
    outcome = score(room, at=None, since=None)
    if not as_json:
        tell(outcome)
    confirmed = confirm(outcome["where_to_look_first"], room.plant, outcome["at"])
    for line in confirmed:
        say(line["says"])
    say("")
    return {
        "ingest": read.to_dict(),
        "models": [report.to_dict() for report in reports],
        "score": outcome,
        "truth": confirmed,
    }


def confirm(alerts: list[dict[str, Any]], plant: "Plant", at: datetime) -> list[dict[str, Any]]:
    """Hold open alerts against the simulator's truth, which Andon itself never reads.

    An alert is right between the horizon and the needed lead of its model, as in a backtest.

    Returns
    -------
    one entry for each alert: ``alert``, ``machine``, ``right`` and the sentence ``says``
    """
    import pandas as pd

    truth = plant.folder / "truth.csv"
    if not truth.exists():
        return []
    entries = {entry.name: entry for entry in plant.models}
    table = pd.read_csv(truth, parse_dates=["began", "ended", "fails"])
    told = []
    for alert in alerts:
        if alert["kind"] == "sensor fault":
            told.append(_confirm_sensor(alert, table, at))
            continue
        ahead = table[
            (table["machine"] == alert["machine"])
            & (table["kind"] == "degradation")
            & (table["began"] <= at)
            & (table["fails"] > at)
        ]
        if ahead.empty and alert["kind"] == "sensor or machine":
            told.append(_confirm_sensor(alert, table, at))
            continue
        if ahead.empty:
            right, says = False, f"{alert['machine']}: the simulator knows of nothing wrong; a false alarm."
        else:
            first, entry = ahead.sort_values("fails").iloc[0], entries[alert["model"]]
            lead = first["fails"] - alert["since"]
            right = entry.needed_lead <= lead <= entry.horizon
            verdict = "right" if right else "too late" if lead < entry.needed_lead else "earlier than its horizon"
            says = (
                f"{alert['machine']}: {verdict}, says the simulator's truth: {first['mode']} of the"
                f" {first['component']} since {first['began']:%Y-%m-%d %H:%M}, failure at"
                f" {first['fails']:%Y-%m-%d %H:%M}; the alert came {lead.total_seconds() / 3600:.0f} h before it."
            )
        told.append({"alert": alert["alert"], "machine": alert["machine"], "right": right, "says": says})
    return told


def _confirm_sensor(alert: dict[str, Any], truth: "pd.DataFrame", at: datetime) -> dict[str, Any]:
    from service.alerts.pipeline.sources import sensor_in
    from service.sensors import cause_of

    lasting = truth[(truth["kind"] == "sensor fault") & (truth["began"] <= at) & (truth["ended"] > at)]
    own = lasting[lasting["machine"] == alert["machine"]]
    faults = {cause_of(signal): mode for signal, mode in zip(own["component"], own["mode"], strict=True)}
    mode = faults.get(sensor_in(alert["cause"]))
    says = "a false alarm" if mode is None else f"right, says the simulator's truth: {mode}"
    return {
        "alert": alert["alert"],
        "machine": alert["machine"],
        "right": mode is not None,
        "says": f"{alert['machine']}, {alert['cause']}: {says}.",
    }

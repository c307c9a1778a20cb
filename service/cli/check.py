"""Check the plant file, its sources and what has been read so far."""

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.cli.call import current_call, shared_options, wall_clock
from service.cli.quality import clocks_and_grades, repeated_rows, rows_of, tell, write_page

if TYPE_CHECKING:
    from features.left_out import LeftOut
    from features.regime_time import RegimeTime
    from ingest.damage import Damage
    from ingest.plant import ModelEntry, Plant
    from models.labels.problem import LabelProblem
    from service.control_room import ControlRoom


@click.command()
@click.option("--storage", is_flag=True, help="Also read all that is stored, and say what is damaged.")
@click.option("--set-aside", "aside", is_flag=True, help="With --storage: put damaged parts aside.")
@click.option("--relabel", is_flag=True, help="The units of the plant file are right for all that is stored, too.")
@click.option("--targets", is_flag=True, help="Also ask whether each target of messages can be reached.")
@click.option(
    "--page", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with a strip of each signal."
)
@shared_options
def command(storage: bool, aside: bool, relabel: bool, targets: bool, page: Path | None) -> None:
    """Check the plant file and its sources; say what is there and what each model can claim.

    With --storage, everything that lies on disk is read and compared with its checksum. With --relabel,
    what is stored is taken to be in the units of the plant file from now on; no value changes. With --targets,
    each target of messages is connected to; nothing is sent.
    """
    from dataclasses import asdict

    from ingest.sources.check import check_sources, check_streams, doubtful_units, silent_signals
    from ingest.stored_unit import declared_units, other_units
    from service.delivery.deliverer import unreachable_targets
    from service.jobs.schedule import unusable_schedules

    call = current_call()
    if aside and not storage:
        raise click.UsageError("--set-aside needs --storage")
    with call.open() as room:
        if relabel:
            room.store.units.declare(declared_units(room.plant), wall_clock())
        damages = room.store.find_damage() if storage else []
        folder = room.store.set_aside(damages) if aside and damages else None
        counts = Counter(machine.machine_class for machine in room.plant.machines)
        held = room.store.counts()
        late = room.store.late.counts().values()
        left_out, regimes, labels, unreadable = _by_readings(room)
        models = [_evidence(room, entry) for entry in room.plant.models] if held.readings else []
        clocks, grades = clocks_and_grades(room)
        if page is not None:
            write_page(room, grades, page, wall_clock())
        problems = [
            *(_lost(each, folder) for each in damages),
            *check_sources(room.plant),
            *check_streams(room.plant, os.environ),
            *unusable_schedules(room.plant.jobs),
            *(unreachable_targets(room) if targets else []),
            *silent_signals(room.plant, room.store),
            *other_units(room.plant, room.store.units),
            *([] if damages else dict.fromkeys([*unreadable, *clocks])),
            *(problem for each in left_out for problem in each.problems),
            *(each["says"] for each in models if not each["can_be_trained"]),
        ]
        report = {
            "plant": room.plant.name,
            "machines": dict(counts),
            "signals": {each.name: len(each.signals) for each in room.plant.classes},
            "sources": _sources(room.plant),
            "store": {"readings": held.readings, "events": held.events, "rejected": held.rejected},
            "late": {"rows": sum(each.late for each in late), "too_late": sum(each.too_late for each in late)},
            "corrections": sum(room.store.corrections.counts().values()),
            "unit_changes": [asdict(each) for each in room.store.units.changes()],
            "quality": rows_of(grades),
            "left_out": [each.to_dict() for each in left_out],
            "regimes": [each.to_dict() for each in regimes],
            "labels": [each.to_dict() for each in labels],
            "models": models,
            "doubtful_units": doubtful_units(room.plant),
            "storage": {**asdict(room.store.parts()), "damaged": len(damages)} if storage else None,
            "repeated": repeated_rows(room),
            "problems": problems,
        }
    call.show(
        report, lambda: _tell(report, [each.summary() for each in left_out] + [each.summary() for each in regimes])
    )
    if problems:
        click.get_current_context().exit(1)


def _sources(plant: "Plant") -> list[str]:
    """Return the names of all files and streams that a plant is read from."""
    files = [each.name for each in plant.sources]
    return [
        *files,
        *[each.name for each in plant.mqtt],
        *[each.name for each in plant.kafka],
        *[each.name for each in plant.opcua],
    ]


def _lost(damage: "Damage", folder: str | None) -> str:
    """Say what is damaged and what was in it."""
    from ingest.catalogue import from_microseconds

    aside = f"; put aside into {folder}" if folder else ""
    if damage.part == "late":
        return f"{damage.why}{aside}"
    if damage.part == "stray":
        return f"{damage.why} ({damage.rows:,} rows){aside}"
    first, newest = from_microseconds(damage.first), from_microseconds(damage.newest)
    inside = (
        f"{damage.rows:,} rows of class {damage.machine_class!r}, {first:%Y-%m-%d %H:%M} to {newest:%Y-%m-%d %H:%M} UTC"
    )
    return f"{damage.why} ({inside}){aside}"


def _evidence(room: "ControlRoom", entry: "ModelEntry") -> dict[str, Any]:
    from ingest.errors import NotEnoughDataError
    from models.judging.sufficiency import sufficiency
    from models.labels.label import target_events

    spans = room.store.spans(entry.machine_class)
    about = {"model": entry.name, "task": entry.task}
    if not spans:
        says = f"model '{entry.name}': no readings of class '{entry.machine_class}' yet"
        return {**about, "says": says, "can_be_trained": False}
    newest = max(last for _, last in spans.values())
    events = room.store.events(machines=room.plant.machines_of(entry.machine_class))
    try:
        says = sufficiency(entry, target_events(events, entry.target), spans, newest).claim
    except NotEnoughDataError as error:
        return {**about, "says": str(error), "can_be_trained": False}
    return {**about, "says": says, "can_be_trained": True}


def _by_readings(
    room: "ControlRoom",
) -> tuple[list["LeftOut"], list["RegimeTime"], list["LabelProblem"], list[str]]:
    """Return what is left out, how machines run, what is suspicious about failures, and why none can be said."""
    from features.left_out import left_out
    from features.regime_time import regime_time
    from ingest.errors import DamagedError, NotEnoughDataError
    from models.labels.check import check_labels

    out: list[LeftOut] = []
    regimes: list[RegimeTime] = []
    labels: list[LabelProblem] = []
    unreadable: list[str] = []
    for each in room.plant.classes:
        try:
            labels += check_labels(room.plant, room.store, each)
            found = left_out(each, room.store)
            ran = regime_time(each, room.store)
        except DamagedError as error:
            unreadable.append(str(error))
        except NotEnoughDataError:
            continue
        else:
            out += [] if found is None else [found]
            regimes += [] if ran is None else [ran]
    return out, regimes, labels, unreadable


def _tell(report: dict[str, Any], how_machines_ran: list[str]) -> None:
    machines = ", ".join(f"{count} {name}" for name, count in report["machines"].items())
    click.echo(f"{report['plant']}: {machines}; {len(report['sources'])} sources.")
    store = report["store"]
    if store["readings"]:
        click.echo(
            f"Read so far: {store['readings']:,} readings, {store['events']:,} events, {store['rejected']:,} rejected."
        )
    late = report["late"]
    if late["rows"]:
        click.echo(
            f"Late: {late['rows']:,} rows came after their time had been scored,"
            f" {late['too_late']:,} of them too late to score it again (see late_within)."
        )
    if report["corrections"]:
        click.echo(f"Corrected: {report['corrections']:,} values by a later arrival; see: andon corrections")
    for each in report["unit_changes"]:
        click.echo(
            f"Relabelled {each['at']:%Y-%m-%d %H:%M} UTC: signal {each['signal']!r} of class {each['machine_class']!r}"
            f" from {each['before']!r} to {each['unit']!r}."
        )
    if repeated := report["repeated"]:
        most = max(repeated, key=lambda name: repeated[name])
        click.echo(
            f"Repeated in the newest 30 days: {sum(repeated.values()):,} rows came again with nothing new; that changes"
            f" nothing. Most are of {most} ({repeated[most]:,})."
        )
    if (stored := report["storage"]) is not None:
        click.echo(
            f"Storage: read {stored['files']:,} files of the lake and {stored['batches']:,} batches of the log with"
            f" {stored['rows']:,} rows: {stored['damaged'] or 'none'} damaged"
            f"{'.' if stored['damaged'] else ', all as written.'}"
        )
    for line in report["doubtful_units"]:
        click.echo(f"Look at {line}")
    tell(report["quality"])
    for line in how_machines_ran:
        click.echo(line)
    for found in report["labels"]:
        click.echo(f"Look at {found['says']}.")
    for model in report["models"]:
        if model["can_be_trained"]:
            click.echo(f"{model['model']} ({model['task']}): {model['says']}")
    for problem in report["problems"]:
        click.echo(problem, err=True)
    if not report["problems"]:
        click.echo("No problem found." + ("" if store["readings"] else " Next: andon ingest"))

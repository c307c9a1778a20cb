"""Check the plant file, its sources and what has been read so far."""

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from service.cli.call import current_call, shared_options, wall_clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.left_out import LeftOut
    from ingest.damage import Damage
    from ingest.plant import ModelEntry
    from ingest.quality.assess import SignalGrade
    from models.label_problem import LabelProblem
    from service.control_room import ControlRoom

MACHINES_GRADED = 200
"""Machines of a class that are graded; of more, some are taken."""


@click.command()
@click.option("--storage", is_flag=True, help="Also read all that is stored, and say what is damaged.")
@click.option("--set-aside", "aside", is_flag=True, help="With --storage: put damaged parts aside.")
@click.option("--relabel", is_flag=True, help="The units of the plant file are right for all that is stored, too.")
@shared_options
def command(storage: bool, aside: bool, relabel: bool) -> None:
    """Check the plant file and its sources; say what is there and what each model can claim.

    With --storage, everything that lies on disk is read and compared with its checksum. With --relabel,
    what is stored is taken to be in the units of the plant file from now on; no value changes.
    """
    from dataclasses import asdict

    from ingest.sources.check import check_sources, silent_signals
    from ingest.stored_unit import declared_units, other_units
    from service.jobs.schedule import unusable_schedules

    call = current_call()
    if aside and not storage:
        raise click.UsageError("--set-aside needs --storage")
    with call.open() as room:
        if relabel:
            room.store.units.declare(declared_units(room.plant), wall_clock())
        damages = room.store.find_damage() if storage else []
        folder = str(room.store.set_aside(damages)) if aside and damages else None
        counts = Counter(machine.machine_class for machine in room.plant.machines)
        held = room.store.counts()
        left_out, labels, unreadable = _by_readings(room)
        late = room.store.late.counts().values()
        models = [_evidence(room, entry) for entry in room.plant.models] if held.readings else []
        clocks, grades = _of_what_is_stored(room, damages)
        problems = [
            *(_lost(each, folder) for each in damages),
            *check_sources(room.plant),
            *unusable_schedules(room.plant.jobs),
            *silent_signals(room.plant, room.store),
            *([] if damages else unreadable),
            *(problem for each in left_out for problem in each.problems),
            *other_units(room.plant, room.store.units),
            *clocks,
            *(each["says"] for each in models if not each["can_be_trained"]),
        ]
        report = {
            "plant": room.plant.name,
            "machines": dict(counts),
            "signals": {each.name: len(each.signals) for each in room.plant.classes},
            "sources": [source.name for source in room.plant.sources],
            "store": {"readings": held.readings, "events": held.events, "rejected": held.rejected},
            "left_out": [each.to_dict() for each in left_out],
            "labels": [each.to_dict() for each in labels],
            "late": {"rows": sum(each.late for each in late), "too_late": sum(each.too_late for each in late)},
            "corrections": sum(room.store.corrections.counts().values()),
            "unit_changes": [asdict(each) for each in room.store.units.changes()],
            "quality": _quality(grades),
            "models": models,
            "problems": list(dict.fromkeys(problems)),
        }
    call.show(report, lambda: _tell(report, [each.summary() for each in left_out]))
    if problems:
        click.get_current_context().exit(1)


def _of_what_is_stored(
    room: "ControlRoom", damages: "Sequence[Damage]"
) -> "tuple[list[str], dict[str, list[SignalGrade]]]":
    """Return which clocks seem wrong and each class's grades; what is damaged cannot be asked, and is said once."""
    from ingest.errors import DamagedError
    from ingest.quality.assess import assess
    from ingest.skew import clock_problems

    try:
        clocks = clock_problems(room.plant, room.store)
        return clocks, {
            each.name: list(assess(room.store, room.plant, each, machines=_some_machines(room, each.name)))
            for each in room.plant.classes
        }
    except DamagedError as error:
        return [] if damages else [str(error)], {}


def _some_machines(room: "ControlRoom", machine_class: str) -> list[str]:
    """Return the machines of a class that are graded: all of them, or some of very many, spread evenly."""
    machines = room.plant.machines_of(machine_class)
    return list(machines[:: -(-len(machines) // MACHINES_GRADED)]) if machines else []


def _lost(damage: "Damage", folder: str | None) -> str:
    """Say what is damaged and what was in it."""
    from ingest.catalogue import from_microseconds

    if damage.part == "stray":
        return f"{damage.why} ({damage.rows:,} rows)" + (f"; put aside into {folder}" if folder else "")
    first, newest = from_microseconds(damage.first), from_microseconds(damage.newest)
    inside = (
        f"{damage.rows:,} rows of class {damage.machine_class!r}, {first:%Y-%m-%d %H:%M} to {newest:%Y-%m-%d %H:%M} UTC"
    )
    return f"{damage.why} ({inside})" + (f"; put aside into {folder}" if folder else "")


def _quality(grades: "dict[str, list[SignalGrade]]") -> list[dict[str, Any]]:
    """Return one row for each signal: the grade of its worst machine, and on how many machines it has which faults."""
    from ingest.quality.assess import summary
    from ingest.quality.fault import FAULTS

    rows: list[dict[str, Any]] = []
    for machine_class, those in grades.items():
        for signal, machines in summary(those).items():
            faulty = [each for each in machines if each.grade.faults]
            reasons = Counter(code for each in faulty for code in each.grade.reasons)
            worst = machines[0]
            rows.append(
                {
                    "class": machine_class,
                    "signal": signal,
                    "machines": len(machines),
                    "with_faults": len(faulty),
                    "worst_grade": worst.grade.number,
                    "level": worst.grade.level,
                    "worst_machine": worst.machine if faulty else "",
                    "reasons": dict(reasons.most_common()),
                    "says": worst.grade.sentence(),
                    "remedy": FAULTS[worst.grade.reasons[0]].remedy if faulty else "",
                }
            )
    return rows


def _evidence(room: "ControlRoom", entry: "ModelEntry") -> dict[str, Any]:
    from ingest.errors import NotEnoughDataError
    from models.label import target_events
    from models.sufficiency import sufficiency

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


def _by_readings(room: "ControlRoom") -> tuple[list["LeftOut"], list["LabelProblem"], list[str]]:
    """Return what is left out, what is suspicious about failures, and why that cannot be said of a class."""
    from features.left_out import left_out
    from ingest.errors import DamagedError, NotEnoughDataError
    from models.label_check import check_labels

    out: list[LeftOut] = []
    labels: list[LabelProblem] = []
    unreadable: list[str] = []
    for each in room.plant.classes:
        try:
            labels += check_labels(room.plant, room.store, each)
            found = left_out(each, room.store)
        except DamagedError as error:
            unreadable.append(str(error))
        except NotEnoughDataError:
            continue
        else:
            out += [] if found is None else [found]
    return out, labels, unreadable


def _tell(report: dict[str, Any], left_out: list[str]) -> None:
    machines = ", ".join(f"{count} {name}" for name, count in report["machines"].items())
    click.echo(f"{report['plant']}: {machines}; {len(report['sources'])} sources.")
    store = report["store"]
    if store["readings"]:
        click.echo(
            f"Read so far: {store['readings']:,} readings, {store['events']:,} events, {store['rejected']:,} rejected."
        )
    for line in left_out:
        click.echo(line)
    for found in report["labels"]:
        click.echo(f"Look at {found['says']}.")
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
    _tell_quality(report["quality"])
    for model in report["models"]:
        if model["can_be_trained"]:
            click.echo(f"{model['model']} ({model['task']}): {model['says']}")
    for problem in report["problems"]:
        click.echo(problem, err=True)
    if not report["problems"]:
        click.echo("No problem found." + ("" if store["readings"] else " Next: andon ingest"))


def _tell_quality(rows: list[dict[str, Any]]) -> None:
    """Print the signals of which some machine is not graded high, and how many there are without fault."""
    if not rows:
        return
    shown = [each for each in rows if each["with_faults"]]
    click.echo(
        f"Quality of the newest 30 days: {len(rows) - len(shown)} of {len(rows)} signals are without fault"
        + (" on all machines." if not shown else "; of the others, the worst machine each:")
    )
    width = max((len(f"{each['class']} {each['signal']}") for each in shown), default=0)
    for each in sorted(shown, key=lambda row: row["worst_grade"]):
        name = f"{each['class']} {each['signal']}"
        click.echo(
            f"  {name:{width}}  {each['worst_machine']}  {each['says']}"
            f" ({each['with_faults']} of {each['machines']} machines)"
        )
